/**
 * The two 16-bit floating-point formats, from and to JavaScript's doubles: IEEE 754 binary16 (`float16`) and the upper half of binary32
 * (`bfloat16`). Both round to the nearest value, ties to the even one, and in one step: rounding to float32 in between would decide some ties wrongly.
 */

interface Format {
  /** Of the significand, without the leading one. */
  readonly fractionBits: number
  /** Least exponent of a normal number. */
  readonly exponentMin: number
  readonly exponentMax: number
}
const binary16: Format = { fractionBits: 10, exponentMin: -14, exponentMax: 15 }
const bfloat16: Format = { fractionBits: 7, exponentMin: -126, exponentMax: 127 }

/** Bits of the nearest float16; beyond 65504 and a half step those of infinity. */
export function float16Bits(value: number): number {
  return bitsOf(value, binary16)
}

export function float16Value(bits: number): number {
  return valueOf(bits, binary16)
}

/** Bits of the nearest bfloat16; beyond 3.39e38 and a half step those of infinity. */
export function bfloat16Bits(value: number): number {
  return bitsOf(value, bfloat16)
}

export function bfloat16Value(bits: number): number {
  return valueOf(bits, bfloat16)
}

const double = new DataView(new ArrayBuffer(8))

function bitsOf(value: number, { fractionBits, exponentMin, exponentMax }: Format): number {
  const infinity = (exponentMax - exponentMin + 2) * 2 ** fractionBits
  if (Number.isNaN(value)) return infinity + 2 ** (fractionBits - 1)
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const magnitude = Math.abs(value)
  if (magnitude === 0 || magnitude === Infinity) return sign + (magnitude === 0 ? 0 : infinity)
  // Subnormal numbers share the step of the smallest normal ones.
  const exponent = Math.max(exponentOf(magnitude), exponentMin)
  // How many steps of this format: a multiplication by a power of two, so exact.
  const steps = roundHalfToEven(magnitude * 2 ** (fractionBits - exponent))
  // A carry out of the fraction raises the exponent by itself, up to infinity's.
  return sign + Math.min(infinity, steps + (exponent - exponentMin) * 2 ** fractionBits)
}

function valueOf(bits: number, { fractionBits, exponentMin, exponentMax }: Format): number {
  const sign = bits & 0x8000 ? -1 : 1
  const field = (bits & 0x7fff) >>> fractionBits
  const fraction = bits & (2 ** fractionBits - 1)
  if (field === exponentMax - exponentMin + 2) return fraction === 0 ? sign * Infinity : Number.NaN
  const exponent = Math.max(field, 1) - 1 + exponentMin
  const significand = field === 0 ? fraction : fraction + 2 ** fractionBits
  return sign * significand * 2 ** (exponent - fractionBits)
}

/** Floor of the binary logarithm, read from the bits. For subnormal doubles something smaller than any exponent of either format. */
function exponentOf(magnitude: number): number {
  double.setFloat64(0, magnitude)
  return ((double.getUint16(0) >>> 4) & 0x7ff) - 1023
}

/** For what is not negative. */
function roundHalfToEven(value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  if (rest !== 0.5) return rest > 0.5 ? below + 1 : below
  return below % 2 === 0 ? below : below + 1
}
