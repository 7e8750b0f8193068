import { describe, expect, test } from 'vitest'
import { createCurve, expectedMs, isKnown, learnStep } from '../../../../src/scheduler/batching/curve.ts'
import { holdMsOf } from '../../../../src/scheduler/batching/hold.ts'
import { throughputLimit } from '../../../../src/scheduler/batching/limit.ts'
import { risingMeans } from '../../../../src/scheduler/batching/rising-means.ts'
import { Random } from '../../../../src/simulator/random.ts'

/** A curve that has learnt `steps` steps, of sizes up to `most`, each off by up to 5 %. */
function learnt(baseMs: number, stateMs: number, steps: number, most = 8, seed = 1) {
  const random = new Random(seed)
  const curve = createCurve(1, baseMs + stateMs)
  for (let step = 0; step < steps; step += 1) {
    const states = random.whole(1, most)
    learnStep(curve, states, (baseMs + stateMs * states) * random.between(0.95, 1.05), 1)
  }
  return { curve, random }
}

const workloads = [
  { baseMs: 4, stateMs: 0.25 },
  { baseMs: 10, stateMs: 1 },
  { baseMs: 8, stateMs: 2 },
  { baseMs: 5, stateMs: 40 },
]

describe('the length of steps', () => {
  test.each(workloads)('is known after 30 batches: %o', ({ baseMs, stateMs }) => {
    const { curve } = learnt(baseMs, stateMs, 30)
    for (const states of [1, 4, 8, 16])
      expect(Math.abs(expectedMs(curve, states) / (baseMs + stateMs * states) - 1)).toBeLessThan(0.06)
  })

  test.each(workloads)('is learnt anew when it doubles: %o', ({ baseMs, stateMs }) => {
    const { curve, random } = learnt(baseMs, stateMs, 200)
    for (let step = 0; step < 30; step += 1) {
      const states = random.whole(1, 8)
      learnStep(curve, states, 2 * (baseMs + stateMs * states) * random.between(0.95, 1.05), 1)
    }
    for (const states of [1, 8])
      expect(Math.abs(expectedMs(curve, states) / (2 * (baseMs + stateMs * states)) - 1)).toBeLessThan(0.1)
  })

  test('stays known while all steps are of one size', () => {
    const { curve } = learnt(10, 1, 60)
    for (let step = 0; step < 5000; step += 1) learnStep(curve, 1, 11, 1)
    expect(expectedMs(curve, 8)).toBeGreaterThan(15)
    expect(expectedMs(curve, 8)).toBeLessThan(21)
  })

  test('does not fall with the size where steps are erratic', () => {
    expect(
      risingMeans(
        [
          [1, 10],
          [2, 8],
          [4, 20],
        ].map(([a = 0, b = 0]) => [a, b] as const),
        1,
        1,
      ),
    ).toBe(9)
    expect(
      risingMeans(
        [
          [1, 10],
          [4, 16],
        ].map(([a = 0, b = 0]) => [a, b] as const),
        2,
        1,
      ),
    ).toBe(12)
    expect(
      risingMeans(
        [
          [1, 10],
          [4, 16],
        ].map(([a = 0, b = 0]) => [a, b] as const),
        6,
        3,
      ),
    ).toBe(22)
  })
})

describe('the batch limit', () => {
  test.each(workloads)('comes within 5 %% of the best fixed size: %o', ({ baseMs, stateMs }) => {
    const { curve } = learnt(baseMs, stateMs, 60, 16)
    const rate = (states: number) => states / (baseMs + stateMs * states)
    const limit = throughputLimit(curve, 32, 0.95)
    expect(rate(limit)).toBeGreaterThan(0.93 * rate(32))
    // No more states than that needs: each of them waits for all.
    if (limit > 2) expect(rate(limit - 2)).toBeLessThan(0.96 * rate(32))
  })

  test("is the manifest's until steps of several sizes are known", () => {
    const { curve } = learnt(10, 1, 50, 1)
    expect(isKnown(curve)).toBe(false)
    expect(throughputLimit(curve, 32, 0.95)).toBe(32)
  })

  test('does not move for a little', () => {
    const { curve } = learnt(10, 1, 100, 16)
    const limit = throughputLimit(curve, 64, 0.95)
    expect(throughputLimit(curve, 64, 0.95, limit + 1)).toBe(limit + 1)
    expect(throughputLimit(curve, 64, 0.95, 2)).toBe(limit)
  })
})

describe('a hold', () => {
  const settings = { delayCost: 1, holdMsMax: 50 }
  test('begins where others come before it costs more than it saves', () => {
    const { curve } = learnt(20, 1, 50)
    expect(holdMsOf(curve, 0.2, 0.9, settings)).toBeGreaterThan(10)
    expect(holdMsOf(curve, 0.02, 0.9, settings)).toBe(0)
    expect(holdMsOf(curve, 0.2, 0, settings)).toBe(0)
  })

  test('is bounded, and where waiting costs nothing as long as that', () => {
    const { curve } = learnt(500, 1, 50)
    expect(holdMsOf(curve, 1, 1, settings)).toBe(50)
    expect(holdMsOf(curve, 0.00001, 0, { delayCost: 0, holdMsMax: 900 })).toBe(900)
  })
})
