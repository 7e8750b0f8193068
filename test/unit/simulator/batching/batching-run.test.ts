import { describe, expect, test } from 'vitest'
import { batchPolicyNames } from '../../../../src/simulator/batching/batch-policies.ts'
import { arrivalsOf, batchWorkloads } from '../../../../src/simulator/batching/batch-workloads.ts'
import { runBatching } from '../../../../src/simulator/batching/batching-run.ts'
import { leastBusyMs, leastBusyMsOfOne } from '../../../../src/simulator/bounds/batch-plan.ts'

const requests = 1000

describe.each([1, 2])('with steps that last %d times as long from the middle on', (drift) => {
  const workloads = batchWorkloads(drift)

  test.each(workloads.filter(({ isScarce }) => !isScarce))('learnt, with devices to spare: $name', (workload) => {
    const { efficiency, misses } = runBatching(workload, 'learnt', requests, 1)
    expect(efficiency).toBeGreaterThan(0.95)
    expect(misses).toBeLessThanOrEqual(0.01)
  })

  test.each(workloads.filter(({ isScarce }) => isScarce))('learnt, at nine tenths of a device: $name', (workload) => {
    const { efficiency, misses } = runBatching(workload, 'learnt', requests / 2, 1)
    expect(efficiency).toBeGreaterThan(0.85)
    expect(misses).toBeLessThanOrEqual(0.01)
  })
})

test('what is learnt beats the rules that know nothing of the length of steps', () => {
  const mean = (policy: (typeof batchPolicyNames)[number]) => {
    const spare = batchWorkloads().filter(({ isScarce }) => !isScarce)
    return (
      spare.reduce((sum, workload) => sum + runBatching(workload, policy, requests, 1).efficiency, 0) / spare.length
    )
  }
  expect(mean('learnt')).toBeGreaterThan(Math.max(mean('eager'), mean('time-out'), mean('aimd')) + 0.2)
})

describe('the least device time', () => {
  const stepMs = (states: number) => 10 + states
  const problem = { withinMs: 50, statesMax: 3, stepMs }

  test('joins neighbours as far as deadlines and the limit allow', () => {
    expect(leastBusyMs({ ...problem, arrivals: [0, 10, 20] })).toBe(13)
    expect(leastBusyMs({ ...problem, arrivals: [0, 10, 20, 21] })).toBe(24)
    expect(leastBusyMs({ ...problem, arrivals: [0, 100] })).toBe(22)
  })

  test('on one device waits for the step before', () => {
    expect(leastBusyMsOfOne({ ...problem, arrivals: [0, 10, 20] })).toBe(13)
    // With a device to spare two steps would do: 0 and 1, then 40, 41 and 42.
    expect(leastBusyMsOfOne({ ...problem, withinMs: 20, arrivals: [0, 1, 5, 6, 7] })).toBe(25)
    expect(leastBusyMsOfOne({ ...problem, statesMax: 1, withinMs: 30, arrivals: [0, 0] })).toBe(22)
  })

  test.each([1, 2, 3])('is no more than that of any rule that meets all deadlines (seed %d)', (seed) => {
    const [workload] = batchWorkloads()
    if (!workload) throw new Error('There is no workload.')
    const arrivals = arrivalsOf(workload, 200, seed)
    const { withinMs, statesMax, baseMs, stateMs } = workload
    const whole = { arrivals, withinMs, statesMax, stepMs: (states: number) => baseMs + stateMs * states }
    expect(leastBusyMs(whole)).toBeLessThanOrEqual(leastBusyMsOfOne(whole))
    for (const policy of batchPolicyNames)
      expect(runBatching(workload, policy, 200, seed).efficiency).toBeLessThanOrEqual(1.04)
  })
})
