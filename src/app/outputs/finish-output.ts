/**
 * What a job gives: from its program's words to what is stored. Small tensors go into the job's row, large ones into files; whatever
 * happens, the memory that they lie in is given back once.
 */

import { listCount } from '../../runtime/workers/dtypes.ts'
import { type ProgramOutput, releaseRegions, type TensorRegion } from '../../runtime/workers/tensors.ts'
import type { JobId } from '../../scheduler/ids.ts'
import type { ArtifactRecord, TaskKind } from '../../store/records.ts'
import type { Artifacts } from '../artifacts.ts'
import { isPictureType } from '../pictures/picture-header.ts'
import { nestedListsMax, nestedTexts } from '../tensors/values.ts'
import { type AnyTensor, BrokenContract, type ProgramWords, readOutput, type TextTensor } from './program-words.ts'
import { encodeOutput, type StoredOutput } from './stored-output.ts'

export interface OutputPlaces {
  readonly artifacts: Pick<Artifacts, 'prepare' | 'discard'>
  /** Larger tensors become artifacts. */
  readonly inlineTensorBytesMax: number
}
export interface FinishedOutput {
  readonly encoded: Uint8Array
  /** Their files are durable; their rows are to be committed with the job's end. */
  readonly artifacts: readonly ArtifactRecord[]
}

/** More embeddings come as an artifact. */
export const inlineEmbeddingsMax = 256
/** All tensors in the row of one job. */
const inlineBytesMax = 1024 * 1024
/** Even an empty text takes its quotation marks and a comma. */
const bytesPerText = 3

/**
 * A promise when something has to be read from shared memory or written to a file. Throws or rejects with BrokenContract, or with what
 * `Artifacts.prepare` fails with; nothing is left then.
 */
export function finishOutput(
  taskKind: TaskKind,
  jobId: JobId,
  output: ProgramOutput,
  places: OutputPlaces,
): FinishedOutput | Promise<FinishedOutput> {
  let isLater = false
  try {
    const words = readOutput(taskKind, output)
    const pieces = piecesOf(words, places.inlineTensorBytesMax)
    const held = heldAlready(pieces)
    if (held) return { encoded: encodeOutput(storedOutput(words, held)), artifacts: [] }
    isLater = true
    return placeAll(words, pieces, jobId, places).finally(() => releaseRegions(output))
  } finally {
    if (!isLater) releaseRegions(output)
  }
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
      const record = await artifacts.prepare(() => streamOf(tensor), { mimeType, jobId })
      records.push(record)
      if (isPictureType(mimeType) && record.width === null)
        throw new BrokenContract(`it says ${mimeType} of bytes that are no such picture, or a broken one.`)
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

function tensorType(tensor: AnyTensor | TextTensor): string {
  if ('texts' in tensor) return 'application/json'
  const { dtype, shape } = tensor
  return `application/vnd.hearth.tensor; dtype=${dtype}; shape=${shape.join('x')}`
}

function sizeOf(tensor: AnyTensor | TextTensor): number {
  if (!('texts' in tensor)) return tensor.sizeBytes
  return tensor.texts.reduce((bytes, text) => bytes + Buffer.byteLength(text) + bytesPerText, 0)
}

async function* streamOf(tensor: AnyTensor | TextTensor): AsyncGenerator<Uint8Array> {
  if ('texts' in tensor) yield Buffer.from(JSON.stringify(nestedTexts(tensor.shape, tensor.texts)))
  else if (tensor.source instanceof Uint8Array) yield tensor.source
  else yield* tensor.source.pieces()
}

async function wholeOf(source: Uint8Array | TensorRegion): Promise<Uint8Array> {
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
