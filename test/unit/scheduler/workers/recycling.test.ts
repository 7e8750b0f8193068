import { describe, expect, test } from 'vitest'
import { describeDecision } from '../../../../src/scheduler/explain/decision-words.ts'
import type { JobId, VersionId, WorkerId } from '../../../../src/scheduler/ids.ts'
import type { SchedulerSettings } from '../../../../src/scheduler/settings.ts'
import { mib, runtimeBytes, SchedulerUnderTest } from '../scheduler-under-test.ts'

/** A worker with a model and a spare beside it; recycling is due after three tasks. */
function serving(options: Partial<SchedulerSettings> & { limitBytes?: number; models?: number } = {}) {
  const { limitBytes = 4096 * mib, models = 1, ...settings } = options
  const scheduler = new SchedulerUnderTest({ sparesPerEngine: 1, recycleAfterTasks: 3, ...settings })
  const deviceId = scheduler.device({ limitBytes })
  const versions = Array.from({ length: models }, () => scheduler.version({ batchLimit: 2 }))
  for (const versionId of versions) {
    scheduler.feed({ type: 'loadRequested', versionId, deviceId: null })
    scheduler.serve()
  }
  return { scheduler, deviceId, versions, version: versions[0]!, worker: scheduler.workerOf(versions[0]!) }
}

function run(scheduler: SchedulerUnderTest, version: VersionId, count: number): void {
  for (let job = 0; job < count; job += 1) scheduler.finish(scheduler.submit(version))
}

/** Workers that have the version, in the order of their loads. */
function holders(scheduler: SchedulerUnderTest, version: VersionId): WorkerId[] {
  return scheduler.state.versions.get(version)!.residencies.map(({ worker }) => worker.workerId)
}

function isThere(scheduler: SchedulerUnderTest, worker: WorkerId): boolean {
  return scheduler.state.workers.has(worker)
}

function reasons(scheduler: SchedulerUnderTest): string[] {
  return [...scheduler.state.decisions.read()].map(({ reason }) => reason)
}

describe('a worker that has served long', () => {
  test('is left alone before it is due', () => {
    const { scheduler, version, worker } = serving()
    run(scheduler, version, 2)
    scheduler.serve()
    expect(holders(scheduler, version)).toEqual([worker])
  })

  test('hands over to the spare once it is idle, and says so', () => {
    const { scheduler, version, worker } = serving()
    run(scheduler, version, 3)
    const decision = [...scheduler.state.decisions.read()].find(({ reason }) => reason === 'recycled')
    expect(decision).toMatchObject({ kind: 'LOAD', workerId: holders(scheduler, version)[1] })
    expect(reasons(scheduler)).toContain('recycled')
    scheduler.serve()
    expect(isThere(scheduler, worker)).toBe(false)
    expect(holders(scheduler, version)).toHaveLength(1)
    expect(holders(scheduler, version)).not.toContain(worker)
    expect(scheduler.state.recycling.size).toBe(0)
  })

  test('serves until the copy is there, so that there is no gap', () => {
    const { scheduler, version, worker } = serving()
    run(scheduler, version, 3)
    expect(holders(scheduler, version)).toHaveLength(2)
    const job = scheduler.submit(version)
    expect(scheduler.jobsAt(worker)).toEqual([job])
    const successor = holders(scheduler, version)[1]!
    scheduler.loaded(successor, version)
    const next = scheduler.submit(version)
    expect(scheduler.jobsAt(successor)).toEqual([next])
    expect(scheduler.jobsAt(worker)).toEqual([job])
    scheduler.finish(job)
    scheduler.serve()
    expect(isThere(scheduler, worker)).toBe(false)
    expect(scheduler.all('jobRequeued')).toEqual([])
  })

  test('hands over all its models, one after the other', () => {
    const { scheduler, versions, worker } = serving({ models: 3 })
    run(scheduler, versions[0]!, 3)
    scheduler.serve()
    expect(isThere(scheduler, worker)).toBe(false)
    for (const version of versions) expect(holders(scheduler, version)).toHaveLength(1)
  })

  test('is followed by another spare', () => {
    const { scheduler, version } = serving()
    run(scheduler, version, 3)
    scheduler.serve()
    expect(scheduler.state.workers.size).toBe(2)
  })

  test('ends the jobs that are at home there, with what it holds for them', () => {
    const { scheduler, version, worker } = serving({ recycleAtLatestAfterTasks: 3 })
    const { jobId, task } = scheduler.submitGraph(version, { first: {}, second: { after: ['first'] } })
    scheduler.done(task.first)
    run(scheduler, version, 2)
    scheduler.loaded(holders(scheduler, version)[1]!, version)
    expect(scheduler.jobsAt(worker)).toEqual([jobId])
    scheduler.done(task.second)
    scheduler.serve()
    expect(scheduler.end(jobId)).toMatchObject({ type: 'jobSucceeded' })
    expect(scheduler.all('jobRequeued')).toEqual([])
    expect(isThere(scheduler, worker)).toBe(false)
  })

  test('waits for idleness while it has work, and is replaced under work once it grows', () => {
    const { scheduler, version, worker } = serving()
    const busy = scheduler.submit(version)
    run(scheduler, version, 3)
    expect(holders(scheduler, version)).toEqual([worker])
    for (let minute = 0; minute < 4; minute += 1) {
      scheduler.feed({ type: 'workerMeasured', workerId: worker, privateBytes: (100 + 5 * minute) * mib })
      scheduler.pass(60_000)
    }
    scheduler.submit(version)
    expect(holders(scheduler, version)).toHaveLength(2)
    scheduler.finish(busy)
  })

  test('is replaced under work at the latest after many more tasks', () => {
    const { scheduler, version, worker } = serving({ recycleAtLatestAfterTasks: 6 })
    scheduler.submit(version)
    run(scheduler, version, 5)
    expect(holders(scheduler, version)).toEqual([worker])
    run(scheduler, version, 1)
    expect(holders(scheduler, version)).toHaveLength(2)
  })
})

describe('where there is no room for both', () => {
  test('a model moves while nobody uses it', () => {
    const { scheduler, version, worker } = serving({ limitBytes: 330 * mib })
    const job = scheduler.submit(version)
    run(scheduler, version, 3)
    scheduler.serve()
    expect(holders(scheduler, version)).toEqual([worker])
    scheduler.finish(job)
    scheduler.serve()
    expect(isThere(scheduler, worker)).toBe(false)
    expect(holders(scheduler, version)).toHaveLength(1)
    expect(scheduler.all('jobRequeued')).toEqual([])
  })

  test('not even for another process, the old one goes first and the model comes back', () => {
    const { scheduler, version, worker } = serving({ limitBytes: 215 * mib, sparesPerEngine: 0, runtimeBytes })
    run(scheduler, version, 3)
    scheduler.serve()
    scheduler.pass(1000)
    scheduler.serve()
    expect(isThere(scheduler, worker)).toBe(false)
    expect(holders(scheduler, version)).toHaveLength(1)
  })
})

describe('during the hand-over', () => {
  function handingOver() {
    const { scheduler, version, worker, ...rest } = serving()
    const jobs: JobId[] = []
    run(scheduler, version, 3)
    jobs.push(scheduler.submit(version))
    return { scheduler, version, worker, jobs, successor: holders(scheduler, version)[1]!, ...rest }
  }

  test('the death of the successor leaves the old worker at work, and another takes over', () => {
    const { scheduler, version, worker, jobs, successor } = handingOver()
    scheduler.kill(successor)
    expect(scheduler.jobsAt(worker)).toEqual(jobs)
    scheduler.pass(1000)
    scheduler.serve()
    scheduler.finish(...jobs)
    scheduler.pass(1000)
    scheduler.serve()
    expect(isThere(scheduler, worker)).toBe(false)
    expect(holders(scheduler, version)).toHaveLength(1)
  })

  test('the death of the old worker is a death like any other', () => {
    const { scheduler, version, worker, jobs, successor } = handingOver()
    scheduler.kill(worker)
    scheduler.serve()
    expect(scheduler.jobsAt(successor)).toEqual(jobs)
    expect(holders(scheduler, version)).toEqual([successor])
  })
})

test('the words of the decision say why', () => {
  const { scheduler, version } = serving()
  run(scheduler, version, 3)
  const decision = [...scheduler.state.decisions.read()].find(({ kind }) => kind === 'RESTART_WORKER')!
  expect(decision).toMatchObject({ reason: 'recycled', amount: 3 })
  expect(describeDecision({ device: () => null, model: () => null }, decision)).toContain('served')
})
