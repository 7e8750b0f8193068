/**
 * One element of a tensor, between JSON and its bytes. JSON has neither NaN nor infinities nor exact integers beyond 2^53: those are texts, both ways.
 * Bytes are little endian everywhere.
 */
import { type FixedDtype, itemBytes } from '../../runtime/workers/dtypes.ts'
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value } from './half-floats.ts'
import { shortestOfFloat32 } from './shortest-float32.ts'

export interface ElementKind {
  readonly itemBytes: number
  /** What is wrong with a value that a caller gave, in words that follow the path of its field; null when nothing is. */
  readonly problem: (value: unknown) => string | null
  /** Only for a value that has no problem. */
  readonly write: (bytes: DataView, offset: number, value: unknown) => void
  readonly read: (bytes: DataView, offset: number) => boolean | number | string
}

const half = 2 ** 15

export const elementKinds: Readonly<Record<FixedDtype, ElementKind>> = {
  bool: {
    itemBytes: itemBytes.bool,
    problem: (value) => (typeof value === 'boolean' ? null : `must be true or false; given: ${shown(value)}.`),
    write: (bytes, offset, value) => bytes.setUint8(offset, value === true ? 1 : 0),
    read: (bytes, offset) => bytes.getUint8(offset) !== 0,
  },
  int8: integers(1, -128, 127, 'setInt8', 'getInt8'),
  uint8: integers(1, 0, 255, 'setUint8', 'getUint8'),
  int16: integers(2, -half, half - 1, 'setInt16', 'getInt16'),
  uint16: integers(2, 0, 2 ** 16 - 1, 'setUint16', 'getUint16'),
  int32: integers(4, -(2 ** 31), 2 ** 31 - 1, 'setInt32', 'getInt32'),
  uint32: integers(4, 0, 2 ** 32 - 1, 'setUint32', 'getUint32'),
  int64: largeIntegers(-(2n ** 63n), 2n ** 63n - 1n, 'setBigInt64', 'getBigInt64'),
  uint64: largeIntegers(0n, 2n ** 64n - 1n, 'setBigUint64', 'getBigUint64'),
  float16: floats(2, 65_504, {
    isInfinite: (value) => isInfinity(float16Value(float16Bits(value))),
    write: (bytes, offset, value) => bytes.setUint16(offset, float16Bits(value), true),
    read: (bytes, offset) => shortest(bytes.getUint16(offset, true), float16Value, float16Bits, 5),
  }),
  bfloat16: floats(2, 3.389_531_389_251_535_5e38, {
    isInfinite: (value) => isInfinity(bfloat16Value(bfloat16Bits(value))),
    write: (bytes, offset, value) => bytes.setUint16(offset, bfloat16Bits(value), true),
    read: (bytes, offset) => shortest(bytes.getUint16(offset, true), bfloat16Value, bfloat16Bits, 4),
  }),
  float32: floats(4, 3.402_823_466_385_288_6e38, {
    isInfinite: (value) => isInfinity(Math.fround(value)),
    write: (bytes, offset, value) => bytes.setFloat32(offset, value, true),
    read: (bytes, offset) => shortestOfFloat32(bytes.getFloat32(offset, true)),
  }),
  float64: floats(8, Number.MAX_VALUE, {
    isInfinite: isInfinity,
    write: (bytes, offset, value) => bytes.setFloat64(offset, value, true),
    read: (bytes, offset) => bytes.getFloat64(offset, true),
  }),
}

/** A value as an error shows it: whole where it is short. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  // What JSON cannot write, a number of more digits than a double has room for.
  if (typeof value === 'number') return String(value)
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 40 ? `${text.slice(0, 40).toWellFormed()}...` : text
}

type SmallIntegerName = 'Int8' | 'Uint8' | 'Int16' | 'Uint16' | 'Int32' | 'Uint32'

function integers(
  bytesEach: number,
  minimum: number,
  maximum: number,
  set: `set${SmallIntegerName}`,
  get: `get${SmallIntegerName}`,
): ElementKind {
  return {
    itemBytes: bytesEach,
    problem: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum
        ? null
        : `must be a whole number from ${minimum} to ${maximum}; given: ${shown(value)}.`,
    write: (bytes, offset, value) => bytes[set](offset, value as number, true),
    read: (bytes, offset) => bytes[get](offset, true),
  }
}

/** More digits than any of them has, and few enough to be read at once. */
const digitsMax = 20
const wholeNumber = /^-?(0|[1-9]\d*)$/

function largeIntegers(
  minimum: bigint,
  maximum: bigint,
  set: 'setBigInt64' | 'setBigUint64',
  get: 'getBigInt64' | 'getBigUint64',
): ElementKind {
  const range = `from ${minimum} to ${maximum}`
  const problem = (value: unknown): string | null => {
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
      return `beyond 2^53 a JSON number is not exact: give it as a text of digits, e.g. "9007199254740993"; given: ${shown(value)}.`
    const isNumber = typeof value === 'number' && Number.isSafeInteger(value)
    const isText = typeof value === 'string' && value.length <= digitsMax + 1 && wholeNumber.test(value)
    const exact = isNumber || isText ? BigInt(value) : null
    if (exact !== null && exact >= minimum && exact <= maximum) return null
    return `must be a whole number ${range}, beyond 2^53 as a text of digits; given: ${shown(value)}.`
  }
  return {
    itemBytes: 8,
    problem,
    write: (bytes, offset, value) => bytes[set](offset, BigInt(value as number | string), true),
    read: (bytes, offset) => {
      const exact = bytes[get](offset, true)
      const value = Number(exact)
      return Number.isSafeInteger(value) ? value : String(exact)
    },
  }
}

const specialFloats: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])

function floats(
  bytesEach: number,
  largest: number,
  format: {
    readonly isInfinite: (value: number) => boolean
    readonly write: (bytes: DataView, offset: number, value: number) => void
    readonly read: (bytes: DataView, offset: number) => number
  },
): ElementKind {
  return {
    itemBytes: bytesEach,
    problem: (value) => {
      if (typeof value !== 'number')
        return specialFloats.has(value)
          ? null
          : `must be a number, or one of the texts "NaN", "Infinity" and "-Infinity"; given: ${shown(value)}.`
      return format.isInfinite(value) || Number.isNaN(value)
        ? `must lie between -${largest} and ${largest}; give infinity as the text "Infinity" or "-Infinity"; given: ${shown(value)}.`
        : null
    },
    write: (bytes, offset, value) => format.write(bytes, offset, specialFloats.get(value) ?? (value as number)),
    read: (bytes, offset) => {
      const value = format.read(bytes, offset)
      return Number.isFinite(value) ? value : String(value)
    },
  }
}

function isInfinity(value: number): boolean {
  return value === Infinity || value === -Infinity
}

const scales = [1e1, 1e2, 1e3, 1e4, 1e5]

/** A number of few digits that reads back as the same bits: 0.1, not 0.0999755859375. So many digits always do. */
function shortest(
  bits: number,
  valueOf: (bits: number) => number,
  bitsOf: (value: number) => number,
  digits: number,
): number {
  const value = valueOf(bits)
  if (!Number.isFinite(value)) return value
  for (const scale of scales) {
    const rounded = Math.round(value * scale) / scale
    if (bitsOf(rounded) === bits) return rounded
  }
  return Number(value.toPrecision(digits))
}
