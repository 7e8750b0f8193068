import { describe, expect, test } from 'vitest'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

function resident() {
  const scheduler = new SchedulerUnderTest()
  scheduler.device()
  const version = scheduler.version({ batchLimit: 1 })
  scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
  scheduler.serve()
  return { scheduler, version, worker: scheduler.workerOf(version) }
}

describe('cancelling', () => {
  test('a job that waits ends at once', () => {
    const { scheduler, version } = resident()
    const [, , third] = [1, 2, 3].map(() => scheduler.submit(version))
    expect(scheduler.feed({ type: 'cancelRequested', jobId: third! })).toEqual([{ type: 'jobCancelled', jobId: third }])
  })

  test('a job that a worker has ends when the worker has dropped it', () => {
    const { scheduler, version, worker } = resident()
    const job = scheduler.submit(version)
    const { taskId } = scheduler.admissions()[0]!
    const commands = scheduler.feed({ type: 'cancelRequested', jobId: job })
    expect(commands).toEqual([{ type: 'cancelTasks', workerId: worker, taskIds: [taskId] }])
    expect(scheduler.report(worker, { kind: 'cancelled', taskId })).toEqual([{ type: 'jobCancelled', jobId: job }])
  })

  test('a result that comes first wins', () => {
    const { scheduler, version } = resident()
    const job = scheduler.submit(version)
    scheduler.feed({ type: 'cancelRequested', jobId: job })
    scheduler.finish(job)
    expect(scheduler.end(job)?.type).toBe('jobSucceeded')
  })

  test('a failure that comes first does not: the user wanted it gone', () => {
    const { scheduler, version } = resident()
    const job = scheduler.submit(version)
    scheduler.feed({ type: 'cancelRequested', jobId: job })
    scheduler.fail(job, 'engine_error')
    expect(scheduler.end(job)?.type).toBe('jobCancelled')
  })

  test('the death of the worker ends it too', () => {
    const { scheduler, version, worker } = resident()
    const job = scheduler.submit(version)
    scheduler.start(job)
    scheduler.feed({ type: 'cancelRequested', jobId: job })
    scheduler.kill(worker)
    expect(scheduler.end(job)?.type).toBe('jobCancelled')
  })

  test('its place goes to the next job', () => {
    const { scheduler, version, worker } = resident()
    const jobs = [1, 2, 3].map(() => scheduler.submit(version))
    scheduler.feed({ type: 'cancelRequested', jobId: jobs[0]! })
    scheduler.report(worker, { kind: 'cancelled', taskId: scheduler.admissions()[0]!.taskId })
    expect(scheduler.jobsAt(worker)).toEqual(jobs.slice(1))
  })

  test('asking twice, or for a job that has ended, changes nothing', () => {
    const { scheduler, version } = resident()
    const job = scheduler.submit(version)
    scheduler.feed({ type: 'cancelRequested', jobId: job })
    expect(scheduler.feed({ type: 'cancelRequested', jobId: job })).toEqual([])
    scheduler.finish(job)
    expect(scheduler.feed({ type: 'cancelRequested', jobId: job })).toEqual([])
  })

  test('a suspect that has been given a worker lets it go', () => {
    const { scheduler, version } = resident()
    const [suspect, other] = [scheduler.submit(version), scheduler.submit(version)]
    scheduler.start(suspect)
    scheduler.kill(scheduler.workerOf(version))
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(version))).toEqual([suspect])
    scheduler.feed({ type: 'cancelRequested', jobId: suspect })
    scheduler.kill(scheduler.workerOf(version))
    scheduler.pass(1000)
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(version))).toEqual([other])
  })

  test('of several tasks, those that wait go at once and the job ends with the last one at a worker', () => {
    const { scheduler, version, worker } = resident()
    const job = scheduler.submit([version, version, version])
    const [first, second] = scheduler.admissions().map(({ taskId }) => taskId)
    scheduler.feed({ type: 'cancelRequested', jobId: job })
    scheduler.report(worker, { kind: 'done', taskId: first!, stepsRun: 1, heldBytes: 0 })
    expect(scheduler.end(job)).toBeUndefined()
    scheduler.report(worker, { kind: 'cancelled', taskId: second! })
    expect(scheduler.end(job)?.type).toBe('jobCancelled')
  })
})
