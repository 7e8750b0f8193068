const scales = [1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]

/**
 * The numbers of `vector` as doubles that print in few digits and still round to the same float32: 0.1 instead of
 * 0.10000000149011612. That halves an embedding's JSON; the search costs a few nanoseconds a number, because it only multiplies
 * and rounds. Throws on NaN and Infinity, which JSON cannot carry.
 */
export function shortestFloat32(vector: Float32Array): number[] {
  const numbers = new Array<number>(vector.length)
  for (let index = 0; index < vector.length; index++) {
    const value = vector[index] ?? 0
    if (!Number.isFinite(value)) throw new RangeError(`A vector contains ${value}.`)
    numbers[index] = shortestOfFloat32(value)
  }
  return numbers
}

/** NaN and infinities stay what they are. */
export function shortestOfFloat32(value: number): number {
  for (const scale of scales) {
    const rounded = Math.round(value * scale) / scale
    if (Math.fround(rounded) === value) return rounded
  }
  return value
}
