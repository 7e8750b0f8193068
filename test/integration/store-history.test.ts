import { expect, test } from 'vitest'
import { Allocations } from '../../src/app/allocations.ts'
import { decisionText } from '../../src/app/decision-texts.ts'
import { Decisions } from '../../src/app/decisions.ts'
import { HistoryKeeper } from '../../src/app/history.ts'
import { DecisionRing } from '../../src/scheduler/explain/decision-ring.ts'
import type { DecisionFilter } from '../../src/scheduler/explain/decisions.ts'
import type { AllocationId, DeviceId, JobId, Millis, VersionId } from '../../src/scheduler/ids.ts'
import type { ClosedAllocation } from '../../src/store/records.ts'
import { weightsAllocation } from '../support/allocation.ts'
import type { TestStore } from '../support/stores.ts'
import { testStore } from '../support/stores.ts'

const page = { first: 10, beforeId: null }

/** A server's worth of history over a store: it begins where the store says. */
function historyOf({ store }: TestStore, ringSize = 100) {
  const ring = new DecisionRing(ringSize)
  ring.continueFrom(store.opening.firstDecision - 1)
  const state = { decisions: ring }
  const allocations = new Allocations(store)
  return {
    ring,
    allocations,
    decisions: new Decisions(state, store),
    keeper: new HistoryKeeper(state, allocations, store),
  }
}

test('decisions and closed allocations are read after a restart as before it', async () => {
  const before = await testStore()
  const device = (await before.store.registerDevice('cpu-a', 'CPU')).id
  const { ring, allocations, decisions, keeper } = historyOf(before)
  const scores = [{ deviceId: device, versionId: null, parts: [0, 1.5, 2, 4096] }]
  ring.record(10, { kind: 'LOAD', reason: 'jobs_wait', deviceId: device, scores })
  ring.record(20, { kind: 'EVICT', reason: 'least_recently_used', versionId: 7 as VersionId, deviceId: device })
  const allocationId = before.store.opening.firstRuntimeId as AllocationId
  const row = weightsAllocation({ allocationId, deviceId: device, state: 'released', sizeBytes: 90, measuredBytes: 90 })
  allocations.changed(row, 30)
  const made = await decisions.page({}, page)
  expect(made.map(({ at }) => at)).toEqual([20, 10])
  await keeper.keepLast()

  const after = await before.reopen()
  const again = historyOf(after)
  expect(await again.decisions.page({}, page)).toEqual(made)
  expect(await again.decisions.count({})).toBe(2)
  expect(await again.decisions.find(made[1]!.sequence)).toEqual(made[1])
  const [, load] = made
  const text = await decisionText({ catalogue: { version: () => null }, store: after.store }, load!)
  expect(text).toMatchObject({
    reason: 'Jobs wait for the model.',
    alternatives: [{ chosen: true, summary: expect.stringMatching(/^cpu-a: 0 MiB missing/) }],
  })
  expect(await again.allocations.page({}, page)).toEqual([{ ...row, createdAt: 30, releasedAt: 30 }])
  expect(await again.allocations.find(row.allocationId)).toMatchObject({ releasedAt: 30 })

  again.ring.record(40, { kind: 'DRAIN', reason: 'server_stops' })
  const [drain] = await again.decisions.page({}, page)
  expect(drain!.sequence).toBeGreaterThan(made[0]!.sequence)
  expect((await again.decisions.page({}, { first: 2, beforeId: null })).map(({ at }) => at)).toEqual([40, 20])
  expect((await again.decisions.page({}, { first: 2, beforeId: drain!.sequence })).map(({ at }) => at)).toEqual([
    20, 10,
  ])
})

test('what is kept is found by kind, job, version, device and time', async () => {
  const opened = await testStore()
  const { ring, keeper } = historyOf(opened)
  ring.record(10, { kind: 'ADMIT', reason: 'worker_has_room', jobId: 7 as JobId })
  ring.record(20, { kind: 'LOAD', reason: 'jobs_wait', versionId: 8 as VersionId })
  ring.record(30, { kind: 'EVICT', reason: 'idle_worker', deviceId: 9 as DeviceId })
  await keeper.keepLast()
  // Of a ring that holds nothing any more.
  const { decisions } = historyOf(await opened.reopen())
  const found = async (filter: DecisionFilter) => (await decisions.page(filter, page)).map(({ at }) => at)
  expect(await found({})).toEqual([30, 20, 10])
  expect(await found({ jobId: 7 as JobId })).toEqual([10])
  expect(await found({ versionIds: [8 as VersionId] })).toEqual([20])
  expect(await found({ deviceId: 9 as DeviceId })).toEqual([30])
  expect(await found({ kinds: ['LOAD', 'EVICT'], from: 20, to: 20 })).toEqual([20])
})

test('when more is decided than can be kept, plain admissions go first, then what the ring has lost; both are counted', async () => {
  const opened = await testStore()
  const { ring, keeper, decisions } = historyOf(opened, 200)
  for (let at = 1; at <= 150; at += 1)
    ring.record(
      at,
      at % 15 === 0 ? { kind: 'LOAD', reason: 'jobs_wait' } : { kind: 'ADMIT', reason: 'worker_has_room' },
    )
  await keeper.keep()
  expect(await opened.store.countDecisions({}, Number.MAX_SAFE_INTEGER)).toBe(10)
  expect(keeper.figures.decisionsDropped).toBe(140)
  expect(await decisions.count({})).toBe(150)
  for (let at = 1; at <= 300; at += 1) ring.record(at, { kind: 'LOAD', reason: 'jobs_wait' })
  await keeper.keep()
  expect(await opened.store.countDecisions({}, Number.MAX_SAFE_INTEGER)).toBe(110)
  expect(keeper.figures.decisionsDropped).toBe(240)
})

test('of allocations those go first that were given back first, however long they had been lent', async () => {
  const { store } = await testStore()
  const released = (allocationId: number, releasedAt: Millis): ClosedAllocation => ({
    ...weightsAllocation({
      allocationId: allocationId as AllocationId,
      predictedBytes: 1,
      sizeBytes: 0,
      measuredBytes: 1,
    }),
    state: 'released',
    createdAt: 0,
    releasedAt,
  })
  await store.recordHistory({ decisions: [], allocations: [released(1, 900), released(2, 10), released(3, 20)] })
  await store.retainHistory({ rowsMax: 2, before: 0 })
  const left = async () => (await store.readAllocations({}, page)).map(({ allocationId }) => allocationId)
  expect(await left()).toEqual([3, 1])
  await store.retainHistory({ rowsMax: 2, before: 500 })
  expect(await left()).toEqual([1])
})

test('the oldest go when there are too many, or when they are too old', async () => {
  const opened = await testStore()
  const { ring, keeper } = historyOf(opened)
  const { store } = opened
  const times = async () => (await store.readDecisions({}, page)).map(({ at }) => at)
  for (let at = 1; at <= 5; at += 1) ring.record(at, { kind: 'LOAD', reason: 'jobs_wait' })
  await keeper.keepLast()
  const retain = (rowsMax: number, before: Millis) => store.retainHistory({ rowsMax, before })
  expect(await retain(10, 0)).toEqual({ isDone: true })
  expect(await times()).toEqual([5, 4, 3, 2, 1])
  await retain(4, 0)
  expect(await times()).toEqual([5, 4, 3, 2])
  await retain(4, 4)
  expect(await times()).toEqual([5, 4])
  await retain(0, 0)
  expect(await times()).toEqual([])
})

test('a reader is given what is decided from then on, as far as it asked for it', async () => {
  const { ring, decisions } = historyOf(await testStore())
  const tell = (kind: 'LOAD' | 'EVICT', at: Millis) => {
    ring.record(at, { kind, reason: 'jobs_wait' })
    decisions.stepped()
  }
  tell('LOAD', 1)
  const stream = decisions.read({ kinds: ['LOAD'] })
  tell('LOAD', 2)
  tell('EVICT', 3)
  tell('LOAD', 4)
  expect((await stream.next()).value).toMatchObject({ at: 2 })
  expect((await stream.next()).value).toMatchObject({ at: 4 })
  const waiting = stream.next()
  await stream.return?.()
  expect((await waiting).done).toBe(true)
})
