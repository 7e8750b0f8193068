/** Tensors of outputs on their way into the job's row or into files: how large they are, and their bytes, wherever they lie. */
import type { TensorRegion } from '../../runtime/workers/tensors.ts'
import type { JobId } from '../../scheduler/ids.ts'
import type { ArtifactRecord } from '../../store/records.ts'
import type { Artifacts } from '../artifacts.ts'
import { isPictureType } from '../pictures/picture-header.ts'
import { nestedTexts } from '../tensors/values.ts'
import { type AnyTensor, BrokenContract } from './output-fields.ts'
import type { TextTensor } from './program-words.ts'

export type OutputFiles = Pick<Artifacts, 'prepare' | 'discard'>

/** Even an empty text takes its quotation marks and a comma. */
const bytesPerText = 3

/**
 * The file is durable, its row is to be committed with the job's end. Rejects with BrokenContract for a picture that is none, or with what
 * `Artifacts.prepare` fails with; nothing is left then.
 */
export async function writeFile(
  files: OutputFiles,
  jobId: JobId,
  tensor: AnyTensor | TextTensor,
  mimeType: string,
): Promise<ArtifactRecord> {
  const record = await files.prepare(() => streamOf(tensor), { mimeType, jobId })
  if (!isPictureType(mimeType) || record.width !== null) return record
  await files.discard([record])
  throw new BrokenContract(`it says ${mimeType} of bytes that are no such picture, or a broken one.`)
}

export function tensorType(tensor: AnyTensor | TextTensor): string {
  if ('texts' in tensor) return 'application/json'
  const { dtype, shape } = tensor
  return `application/vnd.hearth.tensor; dtype=${dtype}; shape=${shape.join('x')}`
}

/** Bytes; of texts, about. */
export function sizeOf(tensor: AnyTensor | TextTensor): number {
  if (!('texts' in tensor)) return tensor.sizeBytes
  return tensor.texts.reduce((bytes, text) => bytes + Buffer.byteLength(text) + bytesPerText, 0)
}

/** Rejects with BrokenContract when there are more or fewer bytes than were announced. */
export async function wholeOf(source: Uint8Array | TensorRegion): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  const bytes = new Uint8Array(source.sizeBytes)
  let offset = 0
  for await (const piece of source.pieces()) {
    if (offset + piece.byteLength > bytes.byteLength) break
    bytes.set(piece, offset)
    offset += piece.byteLength
  }
  if (offset !== bytes.byteLength)
    throw new BrokenContract(`a tensor of ${bytes.byteLength} bytes came with ${offset} bytes.`)
  return bytes
}

async function* streamOf(tensor: AnyTensor | TextTensor): AsyncGenerator<Uint8Array> {
  if ('texts' in tensor) yield Buffer.from(JSON.stringify(nestedTexts(tensor.shape, tensor.texts)))
  else if (tensor.source instanceof Uint8Array) yield tensor.source
  else yield* tensor.source.pieces()
}
