/** All elements of a tensor, between JSON lists and little-endian bytes. Lists are nested as the shape says, or flat in row-major order. */
import { elementCount, type FixedDtype, listCount } from '../../runtime/workers/dtypes.ts'
import { elementKinds } from './element-kinds.ts'

/** Nested values of more lists than this are not made: the lists would take far more room than what is in them. */
export const nestedListsMax = 2 ** 17

/** The bytes of values that were checked before (`validation/tensor-values.ts`). */
export function bytesOfValues(dtype: FixedDtype, shape: readonly number[], values: unknown): Uint8Array {
  const { itemBytes, write } = elementKinds[dtype]
  const bytes = new Uint8Array(elementCount(shape) * itemBytes)
  const view = new DataView(bytes.buffer)
  let offset = 0
  forEachElement(values, (value) => {
    write(view, offset, value)
    offset += itemBytes
  })
  return bytes
}

/** Texts in row-major order. */
export function textsOfValues(values: unknown): string[] {
  const texts: string[] = []
  forEachElement(values, (value) => texts.push(String(value)))
  return texts
}

/** Nested lists; of a scalar, its one value. The caller sees to it that there are at most `nestedListsMax`. */
export function valuesOfBytes(dtype: FixedDtype, shape: readonly number[], bytes: Uint8Array): unknown {
  const { itemBytes, read } = elementKinds[dtype]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return nested(shape, (index) => read(view, index * itemBytes))
}

/** Texts that lie in row-major order, nested; where that takes too many lists, as the one flat list that they are. */
export function nestedTexts(shape: readonly number[], texts: readonly string[]): unknown {
  if (listCount(shape) > nestedListsMax) return texts
  return nested(shape, (index) => texts[index])
}

function forEachElement(values: unknown, visit: (value: unknown) => void): void {
  if (!Array.isArray(values)) visit(values)
  else for (const value of values) forEachElement(value, visit)
}

function nested(shape: readonly number[], element: (index: number) => unknown): unknown {
  let next = 0
  const take = (axis: number): unknown =>
    axis === shape.length ? element(next++) : Array.from({ length: shape[axis] ?? 0 }, () => take(axis + 1))
  return take(0)
}
