/** The output of one program: small tensors go into the job's row, large ones into files. */

import { listCount } from '../../runtime/workers/dtypes.ts'
import type { ProgramOutput } from '../../runtime/workers/tensors.ts'
import type { JobId } from '../../scheduler/ids.ts'
import type { ArtifactRecord } from '../../store/records.ts'
import { nestedListsMax } from '../tensors/values.ts'
import type { FinishedOutput, OutputPlaces } from './finish-output.ts'
import { type AnyTensor, BrokenContract } from './output-fields.ts'
import { type OneProgramKind, type ProgramWords, readOutput, type TextTensor } from './program-words.ts'
import { encodeOutput, type StoredOutput } from './stored-output.ts'
import { sizeOf, tensorType, wholeOf, writeFile } from './tensor-files.ts'

/** More embeddings come as an artifact. */
export const inlineEmbeddingsMax = 256
/** All tensors in the row of one job. */
const inlineBytesMax = 1024 * 1024
/** As `finishOutput`; the memory of `output` stays the caller's to give back, afterwards. */
export function finishWords(
  taskKind: OneProgramKind,
  jobId: JobId,
  output: ProgramOutput,
  places: OutputPlaces,
): FinishedOutput | Promise<FinishedOutput> {
  const words = readOutput(taskKind, output)
  const pieces = piecesOf(words, places.inlineTensorBytesMax)
  const held = heldAlready(pieces)
  if (held) return { encoded: encodeOutput(storedOutput(words, held)), artifacts: [] }
  return placeAll(words, pieces, jobId, places)
}

/** A tensor on its way to its place; `mimeType` null = into the row. */
interface Piece {
  readonly tensor: AnyTensor | TextTensor
  readonly mimeType: string | null
}
type Place = Uint8Array | ArtifactRecord | 'as it is'
type Places = ReadonlyMap<AnyTensor | TextTensor, Place>

function piecesOf(words: ProgramWords, tensorBytesMax: number): Piece[] {
  switch (words.kind) {
    case 'text':
    case 'classification':
      return []
    case 'embeddings':
      return [{ tensor: words.tensor, mimeType: words.count > inlineEmbeddingsMax ? tensorType(words.tensor) : null }]
    case 'tensors': {
      let roomBytes = inlineBytesMax
      let roomLists = nestedListsMax
      return words.tensors.map(({ tensor }) => {
        const sizeBytes = sizeOf(tensor)
        const lists = listCount(tensor.shape)
        const isInline = sizeBytes <= Math.min(tensorBytesMax, roomBytes) && lists <= roomLists
        if (isInline) {
          roomBytes -= sizeBytes
          roomLists -= lists
        }
        return { tensor, mimeType: isInline ? null : tensorType(tensor) }
      })
    }
    case 'program':
      return words.files.map(({ tensor, mimeType }) => ({ tensor, mimeType }))
    default:
      return words satisfies never
  }
}

/** Null when something has to be read or written. */
function heldAlready(pieces: readonly Piece[]): Places | null {
  const places = new Map<AnyTensor | TextTensor, Place>()
  for (const { tensor, mimeType } of pieces) {
    if (mimeType !== null) return null
    if ('texts' in tensor) places.set(tensor, 'as it is')
    else if (tensor.source instanceof Uint8Array) places.set(tensor, tensor.source)
    else return null
  }
  return places
}

async function placeAll(
  words: ProgramWords,
  pieces: readonly Piece[],
  jobId: JobId,
  { artifacts }: OutputPlaces,
): Promise<FinishedOutput> {
  const places = new Map<AnyTensor | TextTensor, Place>()
  const records: ArtifactRecord[] = []
  try {
    // One after the other: memory and disk see one stream at a time for each job.
    for (const { tensor, mimeType } of pieces) {
      if (mimeType === null) {
        places.set(tensor, 'texts' in tensor ? 'as it is' : await wholeOf(tensor.source))
        continue
      }
      const record = await writeFile(artifacts, jobId, tensor, mimeType)
      records.push(record)
      places.set(tensor, record)
    }
    return { encoded: encodeOutput(storedOutput(words, places)), artifacts: records }
  } catch (error) {
    await artifacts.discard(records)
    throw error
  }
}

function storedOutput(words: ProgramWords, places: Places): StoredOutput {
  switch (words.kind) {
    case 'text':
    case 'classification':
      return words
    case 'embeddings': {
      const { kind, count, dimensions, tensor } = words
      const place = placeOf(tensor, places)
      if (place.data) requireFinite(place.data)
      return { kind, count, dimensions, ...place }
    }
    case 'tensors':
      return {
        kind: 'tensors',
        tensors: words.tensors.map(({ name, tensor }) => {
          const place = placeOf(tensor, places)
          const { shape } = tensor
          if (!('texts' in tensor)) return { name, dtype: tensor.dtype, shape, texts: null, ...place }
          return { name, dtype: 'string', shape, texts: place.artifactId === null ? tensor.texts : null, ...place }
        }),
      }
    case 'program':
      return {
        kind: 'program',
        values: words.values,
        artifactIds: words.files.flatMap(({ tensor }) => placeOf(tensor, places).artifactId ?? []),
      }
    default:
      return words satisfies never
  }
}

/** A vector goes out as JSON, which has no NaN: told at the end of the job, and not to each who reads it. */
function requireFinite(float32s: Uint8Array): void {
  const bytes = new DataView(float32s.buffer, float32s.byteOffset, float32s.byteLength)
  for (let offset = 0; offset < bytes.byteLength; offset += 4)
    if (!Number.isFinite(bytes.getFloat32(offset, true)))
      throw new BrokenContract(`number ${offset / 4} of its embeddings is ${bytes.getFloat32(offset, true)}.`)
}

function placeOf(tensor: AnyTensor | TextTensor, places: Places): Pick<StoredOutputTensor, 'data' | 'artifactId'> {
  const place = places.get(tensor)
  if (place === undefined) throw new Error('A tensor of an output has no place.')
  if (place === 'as it is') return { data: null, artifactId: null }
  return place instanceof Uint8Array ? { data: place, artifactId: null } : { data: null, artifactId: place.id }
}
type StoredOutputTensor = Extract<StoredOutput, { kind: 'tensors' }>['tensors'][number]
