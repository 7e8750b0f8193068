/**
 * The metadata at the start of a GGUF file (versions 2 and 3, little endian): what is needed to plan memory, before any engine opens it, and to
 * see whether the file is whole.
 * Everything in it is taken for hostile: every length is checked against what has been read and against a bound.
 * Layout: magic, version u32, tensor count u64, pair count u64, then pairs of key, type u32, value; then of each tensor name, dimension count u32,
 * lengths u64, type u32, offset u64; then, aligned, the tensors.
 */
import { EndOfBytes, GgufReader } from './gguf-reader.ts'
import { endOfTensors } from './gguf-tensors.ts'
import { type GgufValue, readValue } from './gguf-values.ts'
import { openRegularFile } from './regular-file.ts'

export interface GgufHeader {
  readonly architecture: string
  /** Scalars and texts by key; of an array of numbers its items (up to `arrayItemsMax`), of any other array its length. */
  readonly values: ReadonlyMap<string, GgufValue>
  /** The file must be at least so long; of tensors of an unknown type only the beginning is known. */
  readonly neededBytes: number
}

const firstReadBytes = 4 * 1024 * 1024
/** Vocabularies are the most of it. */
const headerBytesMax = 256 * 1024 * 1024
const pairsMax = 10_000
const tensorsMax = 1_000_000
const architectureCharsMax = 64

/** Throws an Error that says what is wrong with the file. */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  await using file = await openRegularFile(path)
  const { size } = await file.stat()
  for (let wantedBytes = firstReadBytes; ; wantedBytes *= 4) {
    const bytes = Buffer.allocUnsafe(Math.min(wantedBytes, size, headerBytesMax))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
    const header = parseGgufHeader(bytes.subarray(0, bytesRead))
    if (header && header.neededBytes > size)
      throw new Error(`it has ${size} bytes; its header speaks of ${header.neededBytes}, so it was cut`)
    if (header) return header
    if (bytes.length >= Math.min(size, headerBytesMax)) throw new Error('its header does not end')
  }
}

/** Null when the header goes on beyond `bytes`. Throws an Error when it is none. */
export function parseGgufHeader(bytes: Buffer): GgufHeader | null {
  const reader = new GgufReader(bytes)
  try {
    if (reader.take(4).toString('latin1') !== 'GGUF') throw new Error('it does not begin with GGUF')
    const version = reader.unsigned32()
    if (version !== 2 && version !== 3) throw new Error(`it is of GGUF version ${version}; 2 and 3 can be read`)
    const tensors = reader.length(tensorsMax, 'tensors')
    const pairs = reader.length(pairsMax, 'pairs')
    const values = new Map<string, GgufValue>()
    for (let pair = 0; pair < pairs; pair += 1) {
      const key = reader.text()
      values.set(key, readValue(reader, reader.unsigned32()))
    }
    const architecture = values.get('general.architecture')
    if (typeof architecture !== 'string' || architecture.length > architectureCharsMax)
      throw new Error('its header names no architecture')
    return { architecture, values, neededBytes: endOfTensors(reader, tensors, values.get('general.alignment')) }
  } catch (error) {
    if (error instanceof EndOfBytes) return null
    throw error
  }
}
