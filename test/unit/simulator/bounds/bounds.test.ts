import { describe, expect, test } from 'vitest'
import { bestClairvoyant } from '../../../../src/simulator/bounds/clairvoyant.ts'
import { pfooBound } from '../../../../src/simulator/bounds/pfoo.ts'
import { Random } from '../../../../src/simulator/random.ts'
import type { Workload, WorkloadModel } from '../../../../src/simulator/traces/workload.ts'

/** Models are named by their places. */
function workloadOf(
  models: readonly Pick<WorkloadModel, 'sizeBytes' | 'loadMs'>[],
  asked: readonly number[],
): Workload {
  return {
    source: 'a test',
    notes: [],
    seed: null,
    models: models.map((model, place) => ({ ...model, name: `model ${place}` })),
    requests: asked.map((model, at) => ({ at, model, execMs: 0, user: null, class: 'interactive' })),
  }
}
const alike = { sizeBytes: 10, loadMs: 100 }

describe('the best feasible clairvoyant', () => {
  test('keeps what is asked for next', () => {
    const workload = workloadOf([alike, alike, alike], [0, 1, 2, 0, 1, 2, 0, 1, 2])
    // LRU would save nothing; of six requests that come again, keeping one model saves three.
    expect(bestClairvoyant(workload, 20, 0)).toMatchObject({ loads: 6, hitRatio: 3 / 9, costSavedRatio: 3 / 9 })
  })

  test('serves the requests of the warm-up, and does not count them', () => {
    const workload = workloadOf([alike], [0, 0, 0, 0])
    expect(bestClairvoyant(workload, 10, 1)).toMatchObject({ loads: 0, hitRatio: 1, costSavedRatio: 1 })
  })
})

describe('the bound for every policy', () => {
  test('is all, less the first loads, where everything fits', () => {
    const workload = workloadOf([alike, alike], [0, 1, 0, 1])
    expect(pfooBound(workload, 20, 0)).toBeCloseTo(0.5)
  })

  test('is never below what is feasible, and falls with the memory', () => {
    const random = new Random(5)
    const models = Array.from({ length: 12 }, (_, place) => ({ sizeBytes: 5 + place, loadMs: 100 + 20 * place }))
    const asked = Array.from({ length: 600 }, () => Math.floor(12 * random.fraction() ** 2))
    const workload = workloadOf(models, asked)
    const bounds = [20, 40, 80].map((bytes) => pfooBound(workload, bytes, 60))
    const feasible = [20, 40, 80].map((bytes) => bestClairvoyant(workload, bytes, 60).costSavedRatio)
    expect(bounds).toEqual([...bounds].sort((a, b) => a - b))
    for (const [place, bound] of bounds.entries()) expect(bound).toBeGreaterThanOrEqual(feasible[place]!)
  })
})
