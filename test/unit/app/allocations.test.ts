import { expect, test } from 'vitest'
import { Allocations } from '../../../src/app/allocations.ts'
import type { Allocation } from '../../../src/scheduler/commands.ts'
import type { AllocationId, DeviceId, JobId } from '../../../src/scheduler/ids.ts'
import type { AllocationRecord } from '../../../src/store/records.ts'
import { weightsAllocation } from '../../support/allocation.ts'

const weights = weightsAllocation()
const paused: Allocation = {
  ...weights,
  allocationId: 2 as AllocationId,
  deviceId: 2 as DeviceId,
  purpose: 'paused_state',
  jobId: 7 as JobId,
}

/** What was written before: newest first. */
function kept(...rows: readonly AllocationRecord[]) {
  return {
    readAllocation: async (id: AllocationId) => rows.find(({ allocationId }) => allocationId === id) ?? null,
    readAllocations: async () => rows,
    countAllocations: async () => rows.length,
  }
}
const page = { first: 10, beforeId: null }

test('a row is as it was told last, and as old as when it was opened', async () => {
  const allocations = new Allocations(kept())
  allocations.changed(weights, 10)
  allocations.changed({ ...weights, state: 'committed', sizeBytes: 90, measuredBytes: 90 }, 20)
  expect(allocations.open({})).toMatchObject([{ state: 'committed', sizeBytes: 90, createdAt: 10, releasedAt: null }])
  expect(await allocations.find(weights.allocationId)).toMatchObject({ measuredBytes: 90 })
})

test.for(['released', 'rolled_back'] as const)(
  'a row that is %s is lent no more, and waits to be written',
  async (state) => {
    const allocations = new Allocations(kept())
    allocations.changed(weights, 10)
    allocations.changed({ ...weights, state }, 20)
    expect(allocations.open({})).toEqual([])
    const closed = { ...weights, state, createdAt: 10, releasedAt: 20 }
    expect(await allocations.find(weights.allocationId)).toEqual(closed)
    expect(allocations.unwritten(10)).toEqual([closed])
    allocations.written([closed])
    expect(allocations.unwritten(10)).toEqual([])
  },
)

test('rows are found by device, job, state and purpose', () => {
  const allocations = new Allocations(kept())
  for (const row of [weights, paused]) allocations.changed(row, 10)
  expect(allocations.open({ deviceId: weights.deviceId })).toMatchObject([{ purpose: 'weights' }])
  expect(allocations.open({ jobId: 7 as JobId })).toMatchObject([{ purpose: 'paused_state' }])
  expect(allocations.open({ jobId: 8 as JobId })).toEqual([])
  expect(allocations.open({ states: ['committed'] })).toEqual([])
  expect(allocations.open({ purposes: ['weights'] })).toMatchObject([{ purpose: 'weights' }])
})

test('a page has what is lent, what waits to be written and what was written, newest first and each once', async () => {
  const old = { ...weights, allocationId: 0 as AllocationId, state: 'released' as const, createdAt: 1, releasedAt: 2 }
  const closed = { ...weights, state: 'released' as const, createdAt: 10, releasedAt: 10 }
  const allocations = new Allocations(kept(closed, old))
  for (const row of [closed, paused]) allocations.changed(row, 10)
  const ids = (rows: readonly AllocationRecord[]) => rows.map(({ allocationId }) => allocationId)
  expect(ids(await allocations.page({}, page))).toEqual([2, 1, 0])
  expect(ids(await allocations.page({}, { first: 1, beforeId: null }))).toEqual([2])
})

test('closed rows that nobody writes are dropped one day, and counted', () => {
  const allocations = new Allocations(kept())
  for (let id = 1; id <= 2003; id += 1)
    allocations.changed({ ...weights, allocationId: id as AllocationId, state: 'released' }, id)
  expect(allocations.dropped).toBe(3)
  expect(allocations.unwritten(1)).toMatchObject([{ allocationId: 4 }])
})
