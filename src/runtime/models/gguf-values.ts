/** The values of a GGUF header: a type by its number, then as many bytes as that takes. */
import type { GgufReader } from './gguf-reader.ts'

/** Scalars and texts; of an array of numbers its items (up to `arrayItemsMax`), of any other array its length. */
export type GgufValue = string | number | boolean | readonly number[] | { readonly length: number }

/** Enough for one number per layer; longer arrays are vocabularies. */
const arrayItemsMax = 1024
/** No file that can be read holds more. */
const arrayLengthMax = 256 * 1024 * 1024

const typeText = 8
const typeArray = 9
/** Bytes of the fixed-size types by number: u8, i8, u16, i16, u32, i32, f32, bool, (text, array), u64, i64, f64. */
const sizes: readonly (number | null)[] = [1, 1, 2, 2, 4, 4, 4, 1, null, null, 8, 8, 8]

export function readValue(reader: GgufReader, type: number): GgufValue {
  if (type === typeText) return reader.text()
  if (type === typeArray) return readArray(reader)
  return readScalar(reader.take(sizeOf(type)), type)
}

function readArray(reader: GgufReader): GgufValue {
  const type = reader.unsigned32()
  const length = reader.length(arrayLengthMax, 'items of an array')
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
