/** What a version will take in an engine, planned from its files before any load; measured values replace the plan. */
import { join } from 'node:path'
import { type GgufHeader, readGgufHeader } from './gguf-header.ts'
import type { GgufValue } from './gguf-values.ts'
import { bytesMax, type Manifest } from './manifest.ts'
import { pictureWorkingBytes } from './picture-memory.ts'

export interface PlannedMemory {
  /** Files that an engine maps or allocates. */
  readonly weightsBytes: number
  /** Of them those of each component, in the manifest's order. */
  readonly componentBytes: readonly number[]
  /** Private bytes beside them: the engine's arenas, KV cache. */
  readonly workingBytes: number
}

/** Where neither the manifest (`options.workingBytes`) nor the files say more: the arena of a small encoder. */
const workingBytesDefault = 64 * 1024 * 1024
const weightRoles = new Set(['weights', 'graph'])

/** Throws an Error that says which file cannot be planned with. */
export async function planMemory(manifest: Manifest, directory: string): Promise<PlannedMemory> {
  return { ...plannedWeights(manifest), workingBytes: await workingBytesOf(manifest, directory) }
}

/** As the manifest has them: its files are checked against it. */
export function plannedWeights({ components }: Manifest): Omit<PlannedMemory, 'workingBytes'> {
  const componentBytes = components.map(({ files }) =>
    files
      .filter(({ role }) => role === undefined || weightRoles.has(role))
      .reduce((sum, file) => sum + file.sizeBytes, 0),
  )
  return { componentBytes, weightsBytes: componentBytes.reduce((sum, bytes) => sum + bytes, 0) }
}

async function workingBytesOf(manifest: Manifest, directory: string): Promise<number> {
  if (manifest.options.workingBytes !== undefined) return manifest.options.workingBytes
  if (manifest.task === 'textToImage') return pictureWorkingBytes(manifest)
  const gguf = manifest.components
    .filter(({ format }) => format === 'gguf' || manifest.engine === 'llama_cpp')
    .flatMap(({ files }) => files)
    .filter(({ role }) => role === undefined || role === 'weights')
  if (gguf.length === 0) return workingBytesDefault
  const working = await Promise.all(gguf.map(({ path }) => ggufWorkingBytes(path, directory, manifest.options)))
  return working.reduce((sum, bytes) => sum + bytes, 0)
}

async function ggufWorkingBytes(path: string, directory: string, options: Manifest['options']): Promise<number> {
  try {
    const header = await readGgufHeader(join(directory, path))
    return textModelWorkingBytes(header, options)
  } catch (error) {
    throw new Error(`${path} cannot be planned with: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    })
  }
}

const contextTokensDefault = 4096
/** Keys and values are kept as float16. */
const bytesPerCacheItem = 2
/** llama.cpp reads a prompt in pieces of so many tokens and keeps the scores of a piece over the whole vocabulary, float32. */
const tokensPerPiece = 512
const bytesPerScore = 4

/** KV cache for every slot's whole context, and the scores of one piece of a prompt. Throws an Error for a header that cannot be planned with. */
export function textModelWorkingBytes(
  header: GgufHeader,
  options: { readonly slots?: number | undefined; readonly contextTokens?: number | undefined },
): number {
  const contextTokens = options.contextTokens ?? contextTokensDefault
  const vocabulary = lengthOf(header.values.get('tokenizer.ggml.tokens'))
  const cacheBytes = cacheBytesPerToken(header) * contextTokens * (options.slots ?? 1)
  const bytes = cacheBytes + tokensPerPiece * vocabulary * bytesPerScore
  if (bytes > bytesMax) throw new Error(`its header asks for ${bytes} bytes of memory, which no machine has`)
  return bytes
}

/** layers x KV heads x (key + value dimensions) x 2 bytes; layers may differ in their KV heads. */
function cacheBytesPerToken(header: GgufHeader): number {
  const key = (name: string) => header.values.get(`${header.architecture}.${name}`)
  const layers = required(numberOf(key('block_count')), 'block_count')
  const heads = required(numberOf(key('attention.head_count')), 'attention.head_count')
  const headDimensions = Math.ceil(required(numberOf(key('embedding_length')), 'embedding_length') / heads)
  const keyDimensions = numberOf(key('attention.key_length')) ?? headDimensions
  const valueDimensions = numberOf(key('attention.value_length')) ?? headDimensions
  const headsOfAllLayers =
    sumOf(key('attention.head_count_kv')) ?? (numberOf(key('attention.head_count_kv')) ?? heads) * layers
  return headsOfAllLayers * (keyDimensions + valueDimensions) * bytesPerCacheItem
}

/** Of a list the largest. */
function numberOf(value: GgufValue | undefined): number | null {
  const number = isNumbers(value) ? Math.max(...value.map(wholeNumber)) : value
  return typeof number === 'number' && number > 0 ? wholeNumber(number) : null
}

function sumOf(value: GgufValue | undefined): number | null {
  return isNumbers(value) && value.length > 0 ? value.reduce((sum, item) => sum + wholeNumber(item), 0) : null
}

/** Headers may hold floats, and numbers below zero. */
function wholeNumber(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`its header counts ${value} of what can only be whole`)
}

function isNumbers(value: GgufValue | undefined): value is readonly number[] {
  return Array.isArray(value)
}

function lengthOf(value: GgufValue | undefined): number {
  return typeof value === 'object' ? value.length : 0
}

function required(value: number | null, key: string): number {
  if (value === null) throw new Error(`its header has no ${key}`)
  return value
}
