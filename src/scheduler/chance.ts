/** Chance, drawn from the state: the same state draws the same again (mulberry32). */

/** At least 0, below 1. */
export function draw(state: { random: number }): number {
  state.random = (state.random + 0x6d2b79f5) >>> 0
  let mixed = state.random
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
}

/** A whole number from 0, below `count`. */
export function drawBelow(state: { random: number }, count: number): number {
  return Math.floor(draw(state) * count)
}
