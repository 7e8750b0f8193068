import { describe, expect, test } from 'vitest'
import { restore } from '../../../../src/scheduler/snapshot/restore.ts'
import { type Snapshot, snapshot, snapshotLearnt } from '../../../../src/scheduler/snapshot/snapshot.ts'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

describe('jobs of a former process', () => {
  test('one that had only waited goes on waiting, without a word', () => {
    const scheduler = new SchedulerUnderTest()
    const job = scheduler.recover(scheduler.version())
    expect(scheduler.stateOf(job)).toBe('queued')
    expect(scheduler.commands).toEqual([])
  })

  test('one that was seen at work begins another attempt, and nothing counts against it', () => {
    const scheduler = new SchedulerUnderTest()
    const jobId = scheduler.recover(scheduler.version(), { attempt: 2, failedAttempts: 1, wasActive: true })
    const expected = { type: 'jobRequeued', jobId, attempt: 3, cause: 'server_restarted', exit: null, fromStep: 0 }
    expect(scheduler.commands).toEqual([{ ...expected, failedAttempts: 1, deathsAlone: 0 }])
  })

  test('one whose cancellation was wished is cancelled', () => {
    const scheduler = new SchedulerUnderTest()
    const job = scheduler.recover(scheduler.version(), { wasActive: true, attempt: 1, cancelRequested: true })
    expect(scheduler.commands).toEqual([{ type: 'jobCancelled', jobId: job }])
  })

  test('one that a worker had died with alone is tried alone again', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    const version = scheduler.version()
    const jobs = [scheduler.recover(version), scheduler.recover(version, { deathsAlone: 1 })]
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(version))).toEqual([jobs[1]])
  })

  test('they are ahead of what is submitted after the restart', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    const version = scheduler.version({ batchLimit: 1 })
    const [old, young] = [scheduler.recover(version), scheduler.submit(version)]
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(version))).toEqual([old, young])
  })
})

describe('a snapshot', () => {
  function busy() {
    const scheduler = new SchedulerUnderTest({ sparesPerEngine: 1 })
    scheduler.device()
    const version = scheduler.version()
    for (let count = 0; count < 6; count += 1) scheduler.submit(version)
    scheduler.submit([version, version], { after: 'chain', deadlineAt: 99_000 })
    scheduler.serve()
    scheduler.start(...scheduler.jobsAt(scheduler.workerOf(version)).slice(0, 2))
    scheduler.pass(50)
    scheduler.finish(scheduler.jobsAt(scheduler.workerOf(version))[0]!)
    return { scheduler, version }
  }
  const throughJson = (taken: Snapshot): Snapshot => {
    const copy: Snapshot = JSON.parse(JSON.stringify(taken))
    return copy
  }

  test('of a restored state is the snapshot that it was restored from', () => {
    const { scheduler } = busy()
    const taken = throughJson(snapshot(scheduler.state))
    expect(throughJson(snapshot(restore(taken)))).toEqual(taken)
  })

  test('carries what was learnt, and counters that go on', () => {
    const { scheduler, version } = busy()
    const learnt = scheduler.state.versions.get(version)!.learnt
    expect(learnt.loadMs).toBe(100)
    expect(learnt.execMs).toBe(50)
    const { nextRuntimeId, nextArrival, decisions } = scheduler.state
    scheduler.state = restore(throughJson(snapshotLearnt(scheduler.state)))
    scheduler.feed({ type: 'serverRestarted', firstRuntimeId: 1 })
    expect(scheduler.state.learnt.get(version)).toEqual(learnt)
    expect(scheduler.state).toMatchObject({ nextRuntimeId, nextArrival })
    expect(scheduler.state.decisions.total).toBe(decisions.total)
    expect(scheduler.state.decisions.dropped).toBe(decisions.total)
  })

  test('carries what the routing policies have learnt, and how long jobs make way', () => {
    const { scheduler, version } = busy()
    const deviceId = scheduler.device()
    scheduler.state.routing.trust.exec = 1.3
    scheduler.state.routing.biases.set(version, new Map([[deviceId, 0.2]]))
    scheduler.state.preemption.holdMs = 12_345
    scheduler.state = restore(throughJson(snapshotLearnt(scheduler.state)))
    scheduler.feed({ type: 'serverRestarted', firstRuntimeId: 1 })
    expect(scheduler.state.routing.trust.exec).toBe(1.3)
    expect(scheduler.state.routing.biases.get(version)).toEqual(new Map([[deviceId, 0.2]]))
    expect(scheduler.state.preemption.holdMs).toBe(12_345)
  })

  test('a restart drops workers, residencies, jobs and devices, and begins with the numbers it is given', () => {
    const { scheduler } = busy()
    scheduler.feed({ type: 'drainRequested' })
    scheduler.feed({ type: 'serverRestarted', firstRuntimeId: 500_000 })
    const { workers, residencies, allocations, jobs, tasks, devices, versions, draining } = scheduler.state
    expect([workers, residencies, allocations, jobs, tasks, devices, versions].map(({ size }) => size)).toEqual([
      0, 0, 0, 0, 0, 0, 0,
    ])
    expect(draining).toBe(false)
    scheduler.device()
    scheduler.version()
    expect(scheduler.all('spawnWorker').at(-1)!.workerId).toBe(500_000)
  })

  test('of another format is refused', () => {
    const taken = snapshotLearnt(new SchedulerUnderTest().state)
    expect(() => restore({ ...taken, format: 99 })).toThrow('format 99')
  })
})
