/**
 * The metadata at the start of a GGUF file (versions 2 and 3, little endian): what is needed to plan memory, before any engine opens it, and to
 * see whether the file is whole.
 * Everything in it is taken for hostile: every length is checked against what has been read and against a bound.
 * Layout: magic, version u32, tensor count u64, pair count u64, then pairs of key, type u32, value; then of each tensor name, dimension count u32,
 * lengths u64, type u32, offset u64; then, aligned, the tensors.
 */
import { openRegularFile } from './regular-file.ts'

export interface GgufHeader {
  readonly architecture: string
  /** Scalars and texts by key; of an array of numbers its items (up to `arrayItemsMax`), of any other array its length. */
  readonly values: ReadonlyMap<string, GgufValue>
  /** The file must be at least so long; of tensors of an unknown type only the beginning is known. */
  readonly neededBytes: number
}
export type GgufValue = string | number | boolean | readonly number[] | { readonly length: number }

const firstReadBytes = 4 * 1024 * 1024
const headerBytesMax = 256 * 1024 * 1024
const pairsMax = 10_000
const tensorsMax = 1_000_000
const dimensionsMax = 16
const textBytesMax = 16 * 1024 * 1024
const architectureCharsMax = 64
/** Enough for one number per layer; longer arrays are vocabularies. */
const arrayItemsMax = 1024

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
  const reader = new Reader(bytes)
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

const alignmentDefault = 32

/** From the beginning of the file. */
function endOfTensors(reader: Reader, count: number, alignment: GgufValue | undefined): number {
  let end = 0
  for (let tensor = 0; tensor < count; tensor += 1) {
    reader.skipText()
    const dimensions = reader.unsigned32()
    if (dimensions > dimensionsMax) throw new Error(`it has a tensor of ${dimensions} dimensions`)
    let items = 1
    for (let dimension = 0; dimension < dimensions; dimension += 1)
      items *= reader.length(Number.MAX_SAFE_INTEGER, 'items of a dimension')
    if (!Number.isSafeInteger(items)) throw new Error(`it has a tensor of ${items} items`)
    const [itemsPerBlock, bytesPerBlock] = blocks[reader.unsigned32()] ?? unknownBlock
    const offset = reader.length(Number.MAX_SAFE_INTEGER, 'bytes before a tensor')
    end = Math.max(end, offset + Math.ceil(items / itemsPerBlock) * bytesPerBlock)
  }
  if (count === 0) return reader.offset
  const step = Number.isSafeInteger(alignment) && Number(alignment) > 0 ? Number(alignment) : alignmentDefault
  return Math.ceil(reader.offset / step) * step + end
}

/** Items and bytes of a block by tensor type, as ggml has them; those that are never stored are left out. */
const blocks: Readonly<Record<number, readonly [number, number]>> = {
  0: [1, 4],
  1: [1, 2],
  2: [32, 18],
  3: [32, 20],
  6: [32, 22],
  7: [32, 24],
  8: [32, 34],
  10: [256, 84],
  11: [256, 110],
  12: [256, 144],
  13: [256, 176],
  14: [256, 210],
  16: [256, 66],
  17: [256, 74],
  18: [256, 98],
  19: [256, 50],
  20: [32, 18],
  21: [256, 110],
  22: [256, 82],
  23: [256, 136],
  24: [1, 1],
  25: [1, 2],
  26: [1, 4],
  27: [1, 8],
  28: [1, 8],
  29: [256, 56],
  30: [1, 2],
  34: [256, 54],
  35: [256, 66],
  39: [32, 17],
}
const unknownBlock = [1, 0] as const

const typeText = 8
const typeArray = 9
/** Bytes of the fixed-size types by number: u8, i8, u16, i16, u32, i32, f32, bool, (text, array), u64, i64, f64. */
const sizes: readonly (number | null)[] = [1, 1, 2, 2, 4, 4, 4, 1, null, null, 8, 8, 8]

function readValue(reader: Reader, type: number): GgufValue {
  if (type === typeText) return reader.text()
  if (type === typeArray) return readArray(reader)
  return readScalar(reader.take(sizeOf(type)), type)
}

function readArray(reader: Reader): GgufValue {
  const type = reader.unsigned32()
  const length = reader.length(headerBytesMax, 'items of an array')
  if (type === typeArray) throw new Error('it has an array of arrays, which nothing writes')
  if (type === typeText) {
    for (let item = 0; item < length; item += 1) reader.skipText()
    return { length }
  }
  const size = sizeOf(type)
  const bytes = reader.take(length * size)
  if (length > arrayItemsMax) return { length }
  return Array.from({ length }, (_, item) => Number(readScalar(bytes.subarray(item * size, (item + 1) * size), type)))
}

function readScalar(bytes: Buffer, type: number): number | boolean {
  switch (type) {
    case 0:
      return bytes.readUInt8(0)
    case 1:
      return bytes.readInt8(0)
    case 2:
      return bytes.readUInt16LE(0)
    case 3:
      return bytes.readInt16LE(0)
    case 4:
      return bytes.readUInt32LE(0)
    case 5:
      return bytes.readInt32LE(0)
    case 6:
      return bytes.readFloatLE(0)
    case 7:
      return bytes[0] !== 0
    case 10:
      return Number(bytes.readBigUInt64LE(0))
    case 11:
      return Number(bytes.readBigInt64LE(0))
    default:
      return bytes.readDoubleLE(0)
  }
}

function sizeOf(type: number): number {
  const size = sizes[type]
  if (size === undefined || size === null) throw new Error(`it has a value of the unknown type ${type}`)
  return size
}

class EndOfBytes extends Error {}

class Reader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get offset(): number {
    return this.#offset
  }

  take(length: number): Buffer {
    const end = this.#offset + length
    if (end > this.#bytes.length) throw new EndOfBytes()
    const part = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return part
  }

  unsigned32(): number {
    const value = this.#offset + 4 <= this.#bytes.length ? this.#bytes.readUInt32LE(this.#offset) : this.take(4).length
    this.#offset += 4
    return value
  }

  /** A 64-bit length or count, at most `max`. */
  length(max: number, what: string): number {
    const value = this.unsigned32() + this.unsigned32() * 2 ** 32
    if (value > max) throw new Error(`it announces ${value} ${what}; at most ${max} are read`)
    return value
  }

  text(): string {
    return this.take(this.length(textBytesMax, 'bytes of text')).toString('utf8')
  }

  skipText(): void {
    const end = this.length(textBytesMax, 'bytes of text') + this.#offset
    if (end > this.#bytes.length) throw new EndOfBytes()
    this.#offset = end
  }
}
