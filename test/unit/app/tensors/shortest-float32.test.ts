import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { shortestFloat32 } from '../../../../src/app/tensors/shortest-float32.ts'

test('every float32 survives its JSON', () => {
  const anyVector = fc
    .array(fc.float({ noNaN: true, noDefaultInfinity: true }))
    .map((numbers) => Float32Array.from(numbers))
  fc.assert(
    fc.property(anyVector, (vector) => {
      const read = Float32Array.from(JSON.parse(JSON.stringify(shortestFloat32(vector))) as number[])
      // JSON writes -0 as 0.
      expect(read).toEqual(vector.map((number) => number + 0))
    }),
  )
})

test('numbers of an embedding take few digits', () => {
  const vector = Float32Array.of(0.1, -0.052345678, 0.3)
  expect(JSON.stringify(shortestFloat32(vector))).toBe('[0.1,-0.05234568,0.3]')
})

test.for([Number.NaN, Number.POSITIVE_INFINITY])('%s is refused, because JSON would turn it into null', (number) => {
  expect(() => shortestFloat32(Float32Array.of(number))).toThrow(RangeError)
})
