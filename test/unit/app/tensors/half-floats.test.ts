import { expect, test } from 'vitest'
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value } from '../../../../src/app/tensors/half-floats.ts'

/** The engine's own float16, of which this version of TypeScript knows no types. */
const engine = new DataView(new ArrayBuffer(4)) as DataView & {
  setFloat16(offset: number, value: number): void
  getFloat16(offset: number): number
}

test.each([
  // [value, bits]: from the IEEE 754 tables.
  [0, 0x0000],
  [-0, 0x8000],
  [1, 0x3c00],
  [-2, 0xc000],
  [0.1, 0x2e66],
  [1 / 3, 0x3555],
  [65504, 0x7bff],
  [65519.99, 0x7bff],
  [65520, 0x7c00],
  [2 ** -14, 0x0400],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000],
  [2 ** -25 * 1.0001, 0x0001],
  [1023.75 * 2 ** -24, 0x0400],
  [Infinity, 0x7c00],
  [-Infinity, 0xfc00],
  // Ties go to the even neighbour.
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  // Rounded to float32 first, this would be a tie, and go down.
  [1 + 2 ** -11 + 2 ** -40, 0x3c01],
])('%d is the float16 of bits %i', (value, bits) => {
  expect(float16Bits(value)).toBe(bits)
})

test('every float16 reads as the engine reads it, and comes back as its own bits', () => {
  for (let bits = 0; bits < 0x10000; bits += 1) {
    engine.setUint16(0, bits)
    const value = float16Value(bits)
    if (!Object.is(value, engine.getFloat16(0))) expect.fail(`${bits} reads ${value}, not ${engine.getFloat16(0)}`)
    if (!Number.isNaN(value) && float16Bits(value) !== bits) expect.fail(`${bits} comes back as ${float16Bits(value)}`)
  }
})

test('half way between two neighbours, and just beside it, float16 rounds as the engine does', () => {
  for (let bits = 0; bits < 0x7c00; bits += 1) {
    const middle = (float16Value(bits) + Math.min(float16Value(bits + 1), 65536)) / 2
    for (const value of [middle, middle * (1 - 2 ** -50), middle * (1 + 2 ** -50), -middle]) {
      engine.setFloat16(0, value)
      if (float16Bits(value) !== engine.getUint16(0)) expect.fail(`${value} rounds to bits ${float16Bits(value)}`)
    }
  }
})

test.each([
  [1, 0x3f80],
  [-2.5, 0xc020],
  [3.140625, 0x4049],
  [1 / 3, 0x3eab],
  [3.3895313892515355e38, 0x7f7f],
  [3.4e38, 0x7f80],
  [2 ** -126, 0x0080],
  [2 ** -133, 0x0001],
  [2 ** -134, 0x0000],
  [Number.MAX_VALUE, 0x7f80],
  [Number.MIN_VALUE, 0x0000],
  [1 + 2 ** -8, 0x3f80],
  [1 + 3 * 2 ** -8, 0x3f82],
  [1 + 2 ** -8 + 2 ** -40, 0x3f81],
])('%d is the bfloat16 of bits %i', (value, bits) => {
  expect(bfloat16Bits(value)).toBe(bits)
})

test('every bfloat16 is the upper half of a float32, and comes back as its own bits', () => {
  for (let bits = 0; bits < 0x10000; bits += 1) {
    engine.setUint32(0, bits * 2 ** 16)
    const value = bfloat16Value(bits)
    if (!Object.is(value, engine.getFloat32(0))) expect.fail(`${bits} reads ${value}, not ${engine.getFloat32(0)}`)
    if (!Number.isNaN(value) && bfloat16Bits(value) !== bits)
      expect.fail(`${bits} comes back as ${bfloat16Bits(value)}`)
  }
})

test('what is not a number stays none', () => {
  expect(float16Value(float16Bits(Number.NaN))).toBeNaN()
  expect(bfloat16Value(bfloat16Bits(Number.NaN))).toBeNaN()
})
