/** Random numbers of a seed, so that a failing test can be run again as it was: HEARTH_TEST_SEED=<the seed it printed>. */
import { onTestFailed } from 'vitest'

/** Whole numbers from `least` up to and without `end`. */
export type Draw = (least: number, end: number) => number

/** Called inside a test; tells the seed when that test fails. The generator is mulberry32. */
export function seededDraws(): Draw {
  const seed = Number(process.env['HEARTH_TEST_SEED'] ?? Date.now() % 2 ** 31)
  onTestFailed(() => console.error(`Repeat with HEARTH_TEST_SEED=${seed}`))
  let state = seed | 0
  return (least, end) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    const fraction = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    return least + Math.floor(fraction * (end - least))
  }
}
