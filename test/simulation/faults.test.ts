/**
 * The real scheduler in modelled worlds, each drawn from a seed. Some seeds are always the same, the others change from day to day, so that in time many
 * worlds are tried; `npm run simulate -- --faults --seeds 10000` tries them at once. One world again: HEARTH_TEST_SEED=<the seed that was printed>.
 */
import { describe, expect, test } from 'vitest'
import { replay } from '../../src/simulator/replay.ts'
import { simulate } from '../../src/simulator/simulation.ts'

const given = process.env['HEARTH_TEST_SEED']
const fixedSeeds = 180
const seedsOfToday = 20
const firstOfToday = 1000 + seedsOfToday * Math.floor(Date.now() / 86_400_000)
const seeds = given === undefined ? [...range(1, fixedSeeds), ...range(firstOfToday, seedsOfToday)] : [Number(given)]
/** Deaths of workers that no task and no load brought about are not in these worlds. */
const onlyPoison = {
  killGapMs: Number.POSITIVE_INFINITY,
  hangGapMs: Number.POSITIVE_INFINITY,
  cutGapMs: Number.POSITIVE_INFINITY,
  deviceGapMs: Number.POSITIVE_INFINITY,
  restartGapMs: Number.POSITIVE_INFINITY,
  cancelGapMs: Number.POSITIVE_INFINITY,
  pauseGapMs: Number.POSITIVE_INFINITY,
  fileGapMs: Number.POSITIVE_INFINITY,
  spawnFails: 0,
  loadKills: 0,
  loadFails: 0,
  taskFails: 0,
  taskIsPoison: 0.05,
}

const repeat = (seed: number) => `Repeat with HEARTH_TEST_SEED=${seed}`

console.log(`Worlds of today: seeds ${firstOfToday} to ${firstOfToday + seedsOfToday - 1}.`)

describe('in every world', { timeout: 120_000 }, () => {
  const sums = {
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    restarts: 0,
    deaths: 0,
    hangs: 0,
    partitions: 0,
    deviceLosses: 0,
    clockJumps: 0,
    quarantined: 0,
    checks: 0,
    stale: 0,
    gone: 0,
    pauses: 0,
    resumptions: 0,
    restored: 0,
    taken: 0,
    revocations: 0,
  }

  test('each job ends exactly once, the invariants hold after every event, and the recording replays to the byte', () => {
    for (const seed of seeds) {
      const result = simulate(seed)
      expect(result.problems, repeat(seed)).toEqual([])
      expect(result.succeeded + result.failed + result.cancelled, repeat(seed)).toBe(result.submitted)
      if (seed % 5 === 0 || given !== undefined) {
        expect(replay(result.recording), repeat(seed)).toEqual({ steps: result.recording.length - 1, difference: null })
      }
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += result[name]
    }
  })

  test.runIf(given === undefined)('what could happen did happen: worlds without trouble prove nothing', () => {
    for (const [name, count] of Object.entries(sums)) expect(count, name).toBeGreaterThan(20)
  })

  test('only a job that kills workers is quarantined', () => {
    let quarantined = 0
    for (const seed of seeds.slice(0, 30)) {
      const result = simulate(seed, onlyPoison)
      expect(result.problems, repeat(seed)).toEqual([])
      expect(result.wronglyQuarantined, repeat(seed)).toBe(0)
      quarantined += result.quarantined
    }
    if (given === undefined) expect(quarantined).toBeGreaterThan(20)
  })

  test('the same seed gives the same run', () => {
    expect(simulate(7).recording).toEqual(simulate(7).recording)
  })
})

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}
