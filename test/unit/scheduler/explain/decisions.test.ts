import { expect, test } from 'vitest'
import { DecisionRing } from '../../../../src/scheduler/explain/decision-ring.ts'
import { describeDecision, describeScore } from '../../../../src/scheduler/explain/decision-words.ts'
import { type DecisionFilter, decisionReasons } from '../../../../src/scheduler/explain/decisions.ts'
import type { DeviceId, JobId, VersionId } from '../../../../src/scheduler/ids.ts'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

test('decisions are read newest first, as they were written', () => {
  const ring = new DecisionRing(10)
  const scores = [
    { deviceId: 3 as DeviceId, versionId: null, parts: [0, 0.5, 1, 4096] },
    { deviceId: 4 as DeviceId, versionId: null, parts: [7, 1.5, 2, 1024] },
  ]
  ring.record(10, { kind: 'ADMIT', reason: 'worker_has_room', jobId: 7 as JobId })
  ring.record(20, { kind: 'LOAD', reason: 'jobs_wait', deviceId: 3 as DeviceId, scores })
  const nothing = { jobId: null, versionId: null, deviceId: null, workerId: null }
  const plain = { forVersionId: null, amount: null, scheme: 'room', scores: [] }
  expect([...ring.read()]).toEqual([
    { ...nothing, ...plain, sequence: 2, at: 20, kind: 'LOAD', reason: 'jobs_wait', deviceId: 3, scores },
    { ...nothing, ...plain, sequence: 1, at: 10, kind: 'ADMIT', reason: 'worker_has_room', jobId: 7 },
  ])
})

test('the ring keeps the newest, and counts what it dropped', () => {
  const ring = new DecisionRing(3)
  for (let at = 1; at <= 8; at += 1) ring.record(at, { kind: 'ADMIT', reason: 'worker_has_room' })
  expect([...ring.read()].map(({ sequence }) => sequence)).toEqual([8, 7, 6])
  expect(ring).toMatchObject({ total: 8, dropped: 5 })
})

test('a winner and at most three losers are kept', () => {
  const ring = new DecisionRing(3)
  const scores = [1, 2, 3, 4, 5].map((id) => ({ deviceId: id as DeviceId, versionId: null, parts: [0, 0, 0, 0] }))
  ring.record(1, { kind: 'LOAD', reason: 'jobs_wait', scores })
  expect([...ring.read()][0]!.scores.map(({ deviceId }) => deviceId)).toEqual([1, 2, 3, 4])
})

test('every reason has words', () => {
  const ring = new DecisionRing(100)
  for (const reason of decisionReasons) ring.record(1, { kind: 'ADMIT', reason })
  const names = { device: () => 'cpu', model: () => 'bge' }
  for (const decision of ring.read()) expect(describeDecision(names, decision)).toMatch(/^[A-Z].*\.$/)
})

test('only what is asked for is read', () => {
  const ring = new DecisionRing(10)
  const [job, version, device] = [7 as JobId, 8 as VersionId, 9 as DeviceId]
  ring.record(10, { kind: 'ADMIT', reason: 'worker_has_room', jobId: job })
  ring.record(20, { kind: 'LOAD', reason: 'jobs_wait', versionId: version })
  ring.record(30, { kind: 'EVICT', reason: 'idle_worker', deviceId: device })
  const found = (filter: DecisionFilter, before?: number) => {
    const all = [...ring.read(filter, before)].map(({ at }) => at)
    if (before === undefined) expect(ring.count(filter)).toBe(all.length)
    return all
  }
  expect(found({})).toEqual([30, 20, 10])
  expect(found({}, 3)).toEqual([20, 10])
  expect(found({ jobId: job })).toEqual([10])
  expect(found({ versionIds: [version] })).toEqual([20])
  expect(found({ deviceId: device })).toEqual([30])
  expect(found({ kinds: ['LOAD', 'EVICT'], from: 20, to: 20 })).toEqual([20])
})

test('a run leaves its reasons behind', () => {
  const scheduler = new SchedulerUnderTest()
  scheduler.device({ name: 'cpu' })
  const version = scheduler.version()
  const job = scheduler.submit(version)
  scheduler.serve()
  scheduler.start(job)
  scheduler.kill(scheduler.workerOf(version))
  const told = [...scheduler.state.decisions.read()].reverse().map(({ kind, reason }) => `${kind} ${reason}`)
  expect(told).toEqual([
    'PLACE engine_needed',
    'LOAD jobs_wait',
    'ADMIT worker_has_room',
    'REQUEUE suspect',
    'RESTART_WORKER started_again',
  ])
  const load = [...scheduler.state.decisions.read()].find(({ kind }) => kind === 'LOAD')!
  const names = { device: (id: DeviceId) => scheduler.state.devices.get(id)?.spec.name ?? null, model: () => null }
  expect(load.scheme).toBe('ect')
  expect(describeScore(names, load.scheme, load.scores[0]!)).toMatchObject({
    summary: expect.stringMatching(/ on cpu: 0\.0 s to wait, 0\.1 s to load, /),
    parts: [
      { name: 'waitMs', value: 0, unit: 'ms' },
      { name: 'loadMs', unit: 'ms' },
      { name: 'execMs', unit: 'ms' },
      { name: 'evictedMs', value: 0, unit: 'ms' },
    ],
  })
})

test('a score tells a model by its name, and what its parts are', () => {
  const ring = new DecisionRing(3)
  const scores = [{ deviceId: null, versionId: 8 as VersionId, parts: [12.3456, 1500, 3 * mib, 0.25] }]
  ring.record(1, {
    kind: 'EVICT',
    reason: 'least_recently_used',
    versionId: 8 as VersionId,
    scheme: 'value',
    forVersionId: 9 as VersionId,
    amount: 7,
    scores,
  })
  const decision = ring.at(1)
  expect(decision).toMatchObject({ scheme: 'value', forVersionId: 9, amount: 7, scores })
  const names = { device: () => null, model: (id: VersionId) => (id === 8 ? 'bge' : 'smol') }
  expect(describeDecision(names, decision)).toBe('smol needed the memory, and bge had been unused the longest.')
  expect(describeScore(names, decision.scheme, decision.scores[0]!).summary).toBe(
    'bge: 12.3 uses an hour, 1.5 s to load again, 3 MiB of memory, 0.25 as its rank',
  )
})
