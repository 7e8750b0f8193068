import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOfValues, valuesOfBytes } from '../../src/app/tensors/values.ts'
import { Problems } from '../../src/app/validation/problems.ts'
import { checkValues } from '../../src/app/validation/tensor-values.ts'
import { elementCount, type FixedDtype, itemBytes } from '../../src/runtime/workers/dtypes.ts'

const dtypes = Object.keys(itemBytes) as FixedDtype[]
const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })
/** Any bytes are a tensor, but a truth is 0 or 1 and there are many ways to be no number: these are left as written. */
const canonical: Partial<Record<FixedDtype, (bytes: Uint8Array) => void>> = {
  bool: (bytes) => {
    for (const [index, byte] of bytes.entries()) bytes[index] = byte & 1
  },
  float16: (bytes) => replaceNaN(bytes, 2, (view, at) => (view.getUint16(at, true) & 0x7fff) > 0x7c00, 0x7e00),
  bfloat16: (bytes) => replaceNaN(bytes, 2, (view, at) => (view.getUint16(at, true) & 0x7fff) > 0x7f80, 0x7fc0),
  float32: (bytes) => replaceNaN(bytes, 4, (view, at) => Number.isNaN(view.getFloat32(at, true)), Number.NaN),
  float64: (bytes) => replaceNaN(bytes, 8, (view, at) => Number.isNaN(view.getFloat64(at, true)), Number.NaN),
}

test.each(dtypes)('any %s tensor survives bytes -> JSON -> bytes, nested and flat, and is found valid', (dtype) => {
  fc.assert(
    fc.property(tensors(dtype), ({ shape, bytes }) => {
      const values: unknown = valuesOfBytes(dtype, shape, bytes)
      // JSON has no negative zero: its bytes are compared as what a reader of the JSON would send.
      const zeros = withoutNegativeZeros(dtype, bytes)
      const flat: unknown = Array.isArray(values) ? values.flat(shape.length) : values
      for (const form of [values, flat]) {
        const sent: unknown = JSON.parse(JSON.stringify(form))
        const problems = new Problems('')
        expect(checkValues('values', dtype, shape, sent, problems)).toBe(bytes.length)
        expect(problems.found).toEqual([])
        expect(bytesOfValues(dtype, shape, sent)).toEqual(zeros)
        expect(bytesOfValues(dtype, shape, form)).toEqual(bytes)
      }
    }),
  )
})

function tensors(dtype: FixedDtype) {
  return shapes.chain((shape) => {
    const length = elementCount(shape) * itemBytes[dtype]
    return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => {
      canonical[dtype]?.(bytes)
      return { shape, bytes: new Uint8Array(bytes) }
    })
  })
}

function replaceNaN(
  bytes: Uint8Array,
  size: 2 | 4 | 8,
  isNaN: (view: DataView, at: number) => boolean,
  value: number,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; at += size) {
    if (!isNaN(view, at)) continue
    if (size === 2) view.setUint16(at, value, true)
    else if (size === 4) view.setFloat32(at, value, true)
    else view.setFloat64(at, value, true)
  }
}

function withoutNegativeZeros(dtype: FixedDtype, bytes: Uint8Array): Uint8Array {
  if (!dtype.includes('float')) return bytes
  const copy = new Uint8Array(bytes)
  const size = itemBytes[dtype]
  for (let at = 0; at < copy.length; at += size) {
    const element = copy.subarray(at, at + size)
    if (element[size - 1] === 0x80 && element.subarray(0, -1).every((byte) => byte === 0)) element[size - 1] = 0
  }
  return copy
}
