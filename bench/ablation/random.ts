/** Numbers that look drawn and are the same in every run. */

/** Uniform from 0 to 1, 1 excluded (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Ranks from 0 to `count` - 1, the one of rank r with the frequency 1 / (r + 1). */
export function zipf(count: number, random: () => number): () => number {
  const upTo: number[] = []
  let sum = 0
  for (let rank = 0; rank < count; rank += 1) {
    sum += 1 / (rank + 1)
    upTo.push(sum)
  }
  return () => {
    const drawn = random() * sum
    return upTo.findIndex((limit) => drawn < limit)
  }
}
