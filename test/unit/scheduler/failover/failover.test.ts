import { describe, expect, test } from 'vitest'
import type { JobId, VersionId } from '../../../../src/scheduler/ids.ts'
import type { SchedulerSettings } from '../../../../src/scheduler/settings.ts'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

function resident({ batchLimit = 2, ...settings }: Partial<SchedulerSettings> & { batchLimit?: number } = {}) {
  const scheduler = new SchedulerUnderTest(settings)
  scheduler.device()
  const version = scheduler.version({ batchLimit })
  scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
  scheduler.serve()
  return { scheduler, version }
}

/** The worker of the version dies; another takes its place and loads what jobs wait for. */
function killAndReplace(scheduler: SchedulerUnderTest, version: VersionId): void {
  scheduler.kill(scheduler.workerOf(version))
  scheduler.pass(10_000)
  scheduler.serve()
}

describe('a worker dies', () => {
  test('what had not started waits again without blame, in its old place', () => {
    const { scheduler, version } = resident()
    const jobs = [1, 2, 3, 4, 5].map(() => scheduler.submit(version))
    killAndReplace(scheduler, version)
    const worker = scheduler.workerOf(version)
    expect(scheduler.jobsAt(worker)).toEqual(jobs.slice(0, 4))
    expect(scheduler.all('jobRequeued')).toEqual([])
  })

  test('jobs in the fatal step begin another attempt, and no failure counts against them', () => {
    const { scheduler, version } = resident()
    const [a, b] = [scheduler.submit(version), scheduler.submit(version)]
    scheduler.start(a, b)
    const requeued = scheduler.kill(scheduler.workerOf(version)).filter(({ type }) => type === 'jobRequeued')
    const expected = {
      attempt: 2,
      cause: 'worker_lost',
      exit: 'signal',
      fromStep: 0,
      failedAttempts: 0,
      deathsAlone: 0,
    }
    expect(requeued).toMatchObject([
      { jobId: a, ...expected },
      { jobId: b, ...expected },
    ])
    expect(scheduler.stateOf(a)).toBe('queued')
  })

  test('those that shared the fatal step are retried alone, one at a time, before others', () => {
    const { scheduler, version } = resident()
    const suspects = [scheduler.submit(version), scheduler.submit(version)]
    const others = [scheduler.submit(version), scheduler.submit(version)]
    scheduler.start(...suspects)
    killAndReplace(scheduler, version)
    const worker = scheduler.workerOf(version)
    expect(scheduler.jobsAt(worker)).toEqual([suspects[0]])
    scheduler.finish(suspects[0]!)
    expect(scheduler.jobsAt(worker)).toEqual([suspects[1]])
    scheduler.finish(suspects[1]!)
    expect(scheduler.jobsAt(worker)).toEqual(others)
  })

  test('a suspect waits until the worker that it gets has emptied, and nothing new is admitted there meanwhile', () => {
    const scheduler = new SchedulerUnderTest()
    const devices = [scheduler.device(), scheduler.device()]
    const version = scheduler.version({ batchLimit: 1 })
    for (const deviceId of devices) {
      scheduler.feed({ type: 'loadRequested', versionId: version, deviceId })
      scheduler.serve()
    }
    const jobs = [1, 2, 3, 4, 5].map(() => scheduler.submit(version))
    const [first, second] = [...scheduler.state.workers.keys()]
    const held = scheduler.jobsAt(second!)
    scheduler.start(...scheduler.jobsAt(first!).slice(0, 1))
    const [suspect] = scheduler.jobsAt(first!)
    scheduler.kill(first!)
    expect(scheduler.jobsAt(second!)).toEqual(held)
    scheduler.finish(held[0]!)
    expect(scheduler.jobsAt(second!)).toEqual(held.slice(1))
    scheduler.finish(held[1]!)
    expect(scheduler.jobsAt(second!)).toEqual([suspect])
    expect(jobs).toContain(suspect)
  })

  test('a job that is alone in two deaths is quarantined', () => {
    const { scheduler, version } = resident()
    const poison = scheduler.submit(version)
    scheduler.start(poison)
    killAndReplace(scheduler, version)
    const worker = scheduler.workerOf(version)
    expect(scheduler.all('jobRequeued')).toMatchObject([{ jobId: poison, failedAttempts: 1, deathsAlone: 1 }])
    scheduler.start(poison)
    scheduler.kill(worker)
    expect(scheduler.end(poison)).toMatchObject({ type: 'jobFailed', code: 'QUARANTINED', retryable: false })
  })

  test('an innocent that shared the steps of a poisonous job is done, and only the other is quarantined', () => {
    const { scheduler, version } = resident()
    const [innocent, poison] = [scheduler.submit(version), scheduler.submit(version)]
    scheduler.start(innocent, poison)
    killAndReplace(scheduler, version)
    scheduler.finish(innocent)
    for (let deaths = 0; deaths < 2; deaths += 1) {
      scheduler.start(poison)
      killAndReplace(scheduler, version)
    }
    expect(scheduler.end(innocent)?.type).toBe('jobSucceeded')
    expect(scheduler.end(poison)).toMatchObject({ code: 'QUARANTINED' })
  })

  test('a worker that dies again and again before it reports a start has its tasks tried alone', () => {
    const { scheduler, version } = resident()
    const jobs = [scheduler.submit(version), scheduler.submit(version)]
    for (let deaths = 0; deaths < 2; deaths += 1) killAndReplace(scheduler, version)
    expect(scheduler.jobsAt(scheduler.workerOf(version))).toEqual([jobs[0]])
    for (let deaths = 0; deaths < 2; deaths += 1) killAndReplace(scheduler, version)
    expect(scheduler.end(jobs[0]!)).toMatchObject({ code: 'QUARANTINED' })
  })

  test('a job that had not started is not blamed for one death, even if it was alone there', () => {
    const { scheduler, version } = resident()
    const job = scheduler.submit(version)
    killAndReplace(scheduler, version)
    expect(scheduler.all('jobRequeued')).toEqual([])
    expect(scheduler.state.jobs.get(job)).toMatchObject({ deathsAlone: 0, failedAttempts: 0 })
  })

  test('a death while a model was loading is not counted against the one job that ran', () => {
    const { scheduler, version } = resident()
    const job = scheduler.submit(version)
    scheduler.start(job)
    scheduler.feed({ type: 'loadRequested', versionId: scheduler.version(), deviceId: null })
    scheduler.kill(scheduler.workerOf(version))
    expect(scheduler.all('jobRequeued')).toMatchObject([{ jobId: job, deathsAlone: 0, failedAttempts: 0 }])
  })

  test('a worker that was asked to stop leaves no suspects', () => {
    const { scheduler, version } = resident()
    const jobs = [scheduler.submit(version), scheduler.submit(version)]
    scheduler.start(...jobs)
    scheduler.kill(scheduler.workerOf(version), 'requested')
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(version))).toEqual(jobs)
    expect(scheduler.all('jobRequeued')).toMatchObject([{ exit: 'requested' }, { exit: 'requested' }])
  })

  test('a death alone counts as a failed attempt too', () => {
    const { scheduler, version } = resident({ quarantineDeaths: 9, attemptLimit: 2 })
    const job = scheduler.submit(version)
    for (let deaths = 0; deaths < 2; deaths += 1) {
      scheduler.start(job)
      killAndReplace(scheduler, version)
    }
    expect(scheduler.end(job)).toMatchObject({ code: 'WORKER_LOST', retryable: true })
  })
})

describe('a task fails', () => {
  test('it is tried again while attempts are left, in its old place', () => {
    const { scheduler, version } = resident()
    const jobs: JobId[] = [1, 2, 3, 4, 5].map(() => scheduler.submit(version))
    scheduler.start(jobs[0]!)
    const commands = scheduler.fail(jobs[0]!, 'engine_error')
    expect(commands).toMatchObject([
      { type: 'jobRequeued', attempt: 2, cause: 'engine_error', failedAttempts: 1 },
      { type: 'admit', tasks: [{ jobId: jobs[0], attempt: 2 }] },
    ])
  })

  test('after five failures the job fails', () => {
    const { scheduler, version } = resident()
    const job = scheduler.submit(version)
    for (let failures = 0; failures < 5; failures += 1) scheduler.fail(job, 'engine_error')
    expect(scheduler.end(job)).toMatchObject({ type: 'jobFailed', code: 'ENGINE_ERROR', retryable: true })
    expect(scheduler.all('jobRequeued')).toHaveLength(4)
  })

  test.each([
    ['engine_error', false, 'ENGINE_ERROR', false],
    ['invalid_request', true, 'INVALID_INPUT', false],
    ['deadline_exceeded', false, 'DEADLINE_EXCEEDED', true],
  ] as const)('%s (retryable: %s) ends the job at once', (code, retryable, expected, isWorthRetrying) => {
    const { scheduler, version } = resident()
    const job = scheduler.submit(version)
    scheduler.fail(job, code, retryable)
    expect(scheduler.end(job)).toMatchObject({ code: expected, retryable: isWorthRetrying })
  })
})
