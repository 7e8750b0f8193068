import { expect, test } from 'vitest'
import { Allocations } from '../../../src/app/allocations.ts'
import type { Allocation } from '../../../src/scheduler/commands.ts'
import type { AllocationId, DeviceId, JobId } from '../../../src/scheduler/ids.ts'

const weights: Allocation = {
  allocationId: 1 as AllocationId,
  deviceId: 1 as DeviceId,
  purpose: 'weights',
  state: 'reserved',
  predictedBytes: 100,
  sizeBytes: 100,
  measuredBytes: null,
  workerId: null,
  residencyId: null,
  jobId: null,
}
const paused: Allocation = {
  ...weights,
  allocationId: 2 as AllocationId,
  deviceId: 2 as DeviceId,
  purpose: 'paused_state',
  jobId: 7 as JobId,
}

test('a row is as it was told last, and as old as when it was opened', () => {
  const allocations = new Allocations()
  allocations.changed(weights, 10)
  allocations.changed({ ...weights, state: 'committed', sizeBytes: 90, measuredBytes: 90 }, 20)
  expect(allocations.all({})).toMatchObject([{ state: 'committed', sizeBytes: 90, createdAt: 10 }])
  expect(allocations.find(weights.allocationId)?.measuredBytes).toBe(90)
})

test.for(['released', 'rolled_back'] as const)('a row that is %s is no more', (state) => {
  const allocations = new Allocations()
  allocations.changed(weights, 10)
  allocations.changed({ ...weights, state }, 20)
  expect(allocations.all({})).toEqual([])
  expect(allocations.find(weights.allocationId)).toBeNull()
})

test('rows are found by device and by job', () => {
  const allocations = new Allocations()
  for (const row of [weights, paused]) allocations.changed(row, 10)
  expect(allocations.all({ deviceId: weights.deviceId })).toMatchObject([{ purpose: 'weights' }])
  expect(allocations.all({ jobId: 7 as JobId })).toMatchObject([{ purpose: 'paused_state' }])
  expect(allocations.all({ jobId: 8 as JobId })).toEqual([])
})
