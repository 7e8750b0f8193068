/** The kinds of elements that a tensor can have, by their names in the API, in files and on the wire. */

/** Bytes of one element. Texts have no fixed size, so `string` is not among them. */
export const itemBytes = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  int64: 8,
  uint64: 8,
  float64: 8,
} as const satisfies Readonly<Record<string, number>>

/** A dtype whose elements have a fixed size. */
export type FixedDtype = keyof typeof itemBytes
export type Dtype = FixedDtype | 'string'

export const dtypeNames: readonly string[] = [...Object.keys(itemBytes), 'string']

export function isFixedDtype(name: string): name is FixedDtype {
  return Object.hasOwn(itemBytes, name)
}

export function isDtype(name: string): name is Dtype {
  return name === 'string' || isFixedDtype(name)
}

/** Elements of a tensor of this shape: 1 for a scalar (no dimensions). Not exact beyond 2^53, where no limit allows it anyway. */
export function elementCount(shape: readonly number[]): number {
  // So many long axes that their product is infinite still hold nothing beside an empty one; infinity times 0 would be NaN.
  return shape.includes(0) ? 0 : shape.reduce((count, length) => count * length, 1)
}

/** Lists that the nested values of a tensor of this shape consist of. They may be millions where there are no elements at all: [1000000, 0]. */
export function listCount(shape: readonly number[]): number {
  let lists = 0
  let onAxis = 1
  for (const length of shape) {
    lists += onAxis
    onAxis *= length
    if (onAxis === 0) break
  }
  return lists
}
