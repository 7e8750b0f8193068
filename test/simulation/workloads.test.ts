/** The real scheduler serves small workloads whose outcome can be told beforehand, and larger ones under every policy. */
import { describe, expect, test } from 'vitest'
import { evictionNames } from '../../src/scheduler/eviction/policies/policies.ts'
import { routingNames } from '../../src/scheduler/settings.ts'
import { boundsOf } from '../../src/simulator/report/bounds.ts'
import { generateWorkload } from '../../src/simulator/traces/generated.ts'
import { loadMsOfSize, type Workload, type WorkloadRequest } from '../../src/simulator/traces/workload.ts'
import { defaultTraceOptions } from '../../src/simulator/world/trace-options.ts'
import { runTrace } from '../../src/simulator/world/trace-world.ts'

const oneMemory = { devices: 1, execution: 'none', order: 'arrival', check: true } as const
const generated = generateWorkload({ seed: 5, requests: 600, days: 1, models: 20, users: 60 })

describe('one memory, no time for work and loads', () => {
  test('LRU keeps what was used last: as many loads as a list of ten lines has', () => {
    const { loads, requests } = runTrace(generated, { ...oneMemory, memoryGb: 30, policy: 'lru', warmupShare: 0 })
    expect({ loads, requests }).toEqual({ loads: lruLoads(generated, 30e9), requests: 600 })
  })

  test('shares count by number, size and load time, after the first requests', () => {
    const workload = workloadOf(['a', 2], ['b', 8], ['a', 2], ['b', 8], ['a', 2], ['c', 4])
    const result = runTrace(workload, { ...oneMemory, memoryGb: 10, policy: 'lru', warmupShare: 1 / 6 })
    expect(result).toMatchObject({ rows: 6, warmupRows: 1, requests: 5, loads: 2, hitRatio: 3 / 5 })
    expect(result.byteHitRatio).toBeCloseTo(12 / 24)
    expect(result.costSavedRatio).toBeCloseTo((9 + 9 + 27) / (9 + 9 + 27 + 27 + 15))
  })

  test('no policy passes the clairvoyant, which does not pass its bounds', () => {
    const options = { ...defaultTraceOptions, ...oneMemory, memoryGb: 30 }
    const bounds = boundsOf(generated, options)
    for (const policy of evictionNames) {
      const { costSavedRatio } = runTrace(generated, { ...options, policy })
      expect(costSavedRatio, policy).toBeLessThanOrEqual(bounds.clairvoyantCostSavedRatio)
      expect(costSavedRatio, policy).toBeGreaterThan(0.2)
    }
    expect(bounds.clairvoyantCostSavedRatio).toBeLessThanOrEqual(bounds.pfooCostSavedRatio)
    expect(bounds.clairvoyantCostSavedRatio).toBeLessThan(bounds.oraclePrefetchCostSavedRatio)
  })

  test('models larger than a device are left out, which is said in no number of requests', () => {
    const result = runTrace(workloadOf(['a', 2], ['huge', 99], ['a', 2]), {
      ...oneMemory,
      memoryGb: 10,
      warmupShare: 0,
    })
    expect(result).toMatchObject({ rows: 2, requests: 2, loads: 1, failed: 0 })
  })
})

describe('devices that take their time', () => {
  const alone = { devices: 1, memoryGb: 10, warmupShare: 0, check: true } as const

  test('a request waits for its load, and the next one for it', () => {
    const workload = workloadOf(['a', 2, { execMs: 5000 }], ['a', 2, { execMs: 3000, at: 1000 }])
    const { latencySeconds, utilisation, simulatedSeconds, jainFairness } = runTrace(workload, alone)
    // Loaded after 9 s, done after 14 s and 17 s.
    expect(latencySeconds?.interactive).toMatchObject({ count: 2, mean: 15, p50: 14, p99: 16 })
    expect(simulatedSeconds).toBeCloseTo(17)
    expect(utilisation).toBeCloseTo(8 / 17)
    expect(jainFairness).toBe(1)
  })

  test('interactive work goes before batch work of the same model at the next step', () => {
    const workload = workloadOf(['a', 2, { execMs: 70_000, class: 'batch' }], ['a', 2, { execMs: 5000, at: 20_100 }])
    const { latencySeconds } = runTrace(workload, alone)
    // The batch job begins at 9 s; its steps last 0.7 s, so the one that runs at 20.1 s ends at 20.2 s.
    expect(latencySeconds?.interactive?.p50).toBeCloseTo(5.1)
    expect(latencySeconds?.batch?.p50).toBeCloseTo(9 + 70 + 5)
  })

  test('time is compressed as it is asked', () => {
    const workload = workloadOf(['a', 2, { execMs: 1000 }], ['a', 2, { execMs: 1000, at: 100_000 }])
    expect(runTrace(workload, { ...alone, compress: 10 }).simulatedSeconds).toBeCloseTo(11)
  })

  test('the same seed gives the same run, and jitter other times', () => {
    const few = { ...generated, requests: generated.requests.slice(0, 150) }
    const run = (seed: number, jitter: number) => ({ ...runTrace(few, { seed, jitter }), tookSeconds: 0, seed: 0 })
    expect(run(1, 0.2)).toEqual(run(1, 0.2))
    expect(run(2, 0.2)).not.toEqual(run(1, 0.2))
    expect(run(2, 0)).toEqual(run(1, 0))
  })

  test.each(routingNames)('every request is served, no invariant breaks: %s', (routing) => {
    const few = { ...generated, requests: generated.requests.slice(0, 200) }
    const result = runTrace(few, { routing, devices: 3, memoryGb: 24, compress: 4, check: true })
    expect(result).toMatchObject({ failed: 0, requests: 180 })
    expect(result.latencySeconds?.all?.count).toBe(180)
  })

  test('a backlog of batch work takes what is left of the devices', () => {
    const few = { ...generated, requests: generated.requests.slice(0, 100) }
    const options = { devices: 2, memoryGb: 24, compress: 2 }
    const without = runTrace(few, options)
    const beside = runTrace(few, { ...options, batchBacklog: true, check: true })
    expect(without.backlog).toBeNull()
    expect(beside.requests).toBe(without.requests)
    expect(beside.utilisation).toBeGreaterThan(0.8)
    expect(beside.backlog?.ended).toBeGreaterThan(100)
  })
})

type Sketch = readonly [name: string, sizeGb: number, request?: Partial<WorkloadRequest>]

function workloadOf(...sketches: readonly Sketch[]): Workload {
  const names = [...new Map(sketches.map(([name, sizeGb]) => [name, sizeGb]))]
  return {
    source: 'a test',
    notes: [],
    seed: null,
    models: names.map(([name, sizeGb]) => ({ name, sizeBytes: sizeGb * 1e9, loadMs: loadMsOfSize(sizeGb) })),
    requests: sketches.map(([name, , request], index) => ({
      at: index,
      model: names.findIndex(([each]) => each === name),
      execMs: 1000,
      user: null,
      class: 'interactive',
      ...request,
    })),
  }
}

function lruLoads({ requests, models }: Workload, memoryBytes: number): number {
  let loads = 0
  const resident: number[] = []
  const filled = () => resident.reduce((sum, model) => sum + (models[model]?.sizeBytes ?? 0), 0)
  for (const { model } of requests) {
    const place = resident.indexOf(model)
    if (place >= 0) resident.splice(place, 1)
    else {
      loads += 1
      while (filled() + (models[model]?.sizeBytes ?? 0) > memoryBytes) resident.shift()
    }
    resident.push(model)
  }
  return loads
}
