/** Interactive and batch work on the same devices, with the real scheduler: neither takes from the other what it needs. */
import { describe, expect, test } from 'vitest'
import type { PriorityClass } from '../../src/scheduler/events.ts'
import { generateWorkload } from '../../src/simulator/traces/generated.ts'
import type { Workload, WorkloadRequest } from '../../src/simulator/traces/workload.ts'
import { runTrace } from '../../src/simulator/world/trace-world.ts'

const gigabytes = 1e9

function workloadOf(models: number, requests: readonly WorkloadRequest[]): Workload {
  return {
    source: 'made by the test',
    notes: [],
    seed: null,
    models: Array.from({ length: models }, (_, model) => ({
      name: `model-${model}`,
      sizeBytes: 2 * gigabytes,
      loadMs: 5000,
    })),
    requests: [...requests].sort((a, b) => a.at - b.at),
  }
}

/** So many requests for a model, one every `everyMs`. */
function stream(model: number, priorityClass: PriorityClass, count: number, everyMs: number, execMs: number) {
  return Array.from(
    { length: count },
    (_, index): WorkloadRequest => ({ at: index * everyMs, model, execMs, user: null, class: priorityClass }),
  )
}

const alone = { devices: 1, memoryGb: 10, warmupShare: 0, check: true } as const

describe('interactive work without end', () => {
  test('leaves batch work of the same model its share', () => {
    const endless = stream(0, 'interactive', 330, 900, 1000)
    const { latencySeconds } = runTrace(workloadOf(1, [...endless, ...stream(0, 'batch', 4, 1, 2000)]), alone)
    // 8 s of work at 5 % of the time; the interactive work goes on for 330 s.
    expect(latencySeconds?.batch?.p99).toBeLessThan(200)
  })

  test('leaves batch work of another model its share of the device', () => {
    const endless = stream(0, 'interactive', 330, 900, 1000)
    const { latencySeconds } = runTrace(workloadOf(2, [...endless, ...stream(1, 'batch', 4, 1, 2000)]), alone)
    expect(latencySeconds?.batch?.p99).toBeLessThan(200)
  })

  test('leaves batch work its turn to be loaded where only one model fits', () => {
    const small = { ...alone, memoryGb: 3 }
    const endless = stream(0, 'interactive', 300, 1000, 950)
    const { latencySeconds } = runTrace(workloadOf(2, [...endless, ...stream(1, 'batch', 3, 1, 2000)]), small)
    expect(latencySeconds?.batch?.p99).toBeLessThan(250)
  })
})

describe('batch work without end', () => {
  test('has all the time that interactive work leaves, and none of what that needs', () => {
    const workload = generateWorkload({ seed: 3, requests: 300, days: 1, models: 10, users: 30 })
    const options = { devices: 4, memoryGb: 48 } as const
    const without = runTrace(workload, options)
    const beside = runTrace(workload, { ...options, batchBacklog: true })
    const p50 = (result: typeof without) => result.latencySeconds?.interactive?.p50 ?? 0
    expect(p50(beside) / p50(without)).toBeLessThanOrEqual(1.05)
    expect(Number(beside.backlog?.share) / without.idleShare).toBeGreaterThanOrEqual(0.97)
  })
})
