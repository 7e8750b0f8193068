/** The header of a `.npy` file (numpy's format, versions 1 to 3): what the array is, and where its bytes begin. */
import type { FixedDtype } from '../../runtime/workers/dtypes.ts'

export interface NpyHeader {
  readonly dtype: FixedDtype
  readonly shape: readonly number[]
  /** Where the elements begin. */
  readonly dataOffset: number
}

/** Enough of a file to hold any header that is taken here. */
export const npyHeaderBytesMax = 16 * 1024

const magic = Buffer.from('\u0093NUMPY', 'latin1')
/** By kind and bytes. The order of bytes, and which axis is the fastest, are the reader's business: numpy settles both. */
const dtypes: Readonly<Record<string, FixedDtype>> = {
  b1: 'bool',
  i1: 'int8',
  u1: 'uint8',
  i2: 'int16',
  u2: 'uint16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
}

/** `start`: the first bytes of the file. Null when it is no `.npy` at all; a text says what is wrong with one. */
export function readNpyHeader(start: Buffer): NpyHeader | string | null {
  if (start.length < magic.length || !start.subarray(0, magic.length).equals(magic)) return null
  const version = start.length < 12 ? 0 : start.readUInt8(6)
  if (version < 1 || version > 3) return 'is a .npy file of a version that is not known here; save it with numpy.save.'
  const lengthBytes = version === 1 ? 2 : 4
  const headerOffset = 8 + lengthBytes
  const dataOffset = headerOffset + start.readUIntLE(8, lengthBytes)
  if (dataOffset > start.length) return 'is a .npy file whose header is cut off or too long; save it with numpy.save.'
  return readDictionary(start.toString('latin1', headerOffset, dataOffset), dataOffset)
}

/** As numpy writes it: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`. */
function readDictionary(text: string, dataOffset: number): NpyHeader | string {
  const descr = /'descr':\s*'([^']{1,16})'/.exec(text)?.[1]
  const lengths = /'shape':\s*\(([\d, ]{0,1000})\)/.exec(text)?.[1]
  if (descr === undefined || lengths === undefined)
    return 'is a .npy file of something that is no plain array; save one array with numpy.save.'
  const kind = descr.replace(/^[<>|=]/, '')
  const dtype = Object.hasOwn(dtypes, kind) ? dtypes[kind] : undefined
  if (!dtype) return `is a .npy file of \`${descr}\`; convert it to numbers first, e.g. array.astype("float32").`
  const shape = lengths
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(Number)
  return shape.every((length) => Number.isSafeInteger(length))
    ? { dtype, shape, dataOffset }
    : 'is a .npy file whose shape cannot be read; save it with numpy.save.'
}
