import { describe, expect, test } from 'vitest'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

/** A version of which so many jobs took a step of so many milliseconds. */
function experienced(count: number, stepMs: number, work = 1, engine = 'onnx') {
  const scheduler = new SchedulerUnderTest()
  scheduler.device()
  const version = scheduler.version({ batchLimit: 1, engine })
  scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
  scheduler.serve()
  for (let step = 0; step < count; step += 1) {
    const { task, jobId } = scheduler.submitGraph(version, { only: {} }, { work })
    scheduler.start(jobId)
    scheduler.pass(stepMs)
    scheduler.done(task.only)
  }
  return { scheduler, version }
}

function patienceWith(count: number, stepMs: number): number | null {
  const { scheduler, version } = experienced(count, stepMs)
  scheduler.submit(version)
  return scheduler.admissions().at(-1)!.stepMsMax
}

describe('how long a step may compute before its worker counts as hung', () => {
  test('is not said before enough steps were seen', () => {
    expect(patienceWith(19, 500)).toBeNull()
  })

  test('is never said of an engine that composes its own batches', () => {
    const { scheduler, version } = experienced(50, 500, 1, 'llama_cpp')
    scheduler.submit(version)
    expect(scheduler.admissions().at(-1)).toMatchObject({ stepMsMax: null })
  })

  test('is four times what steps take', () => {
    expect(patienceWith(20, 500)).toBe(2000)
  })

  test('is more for a request of more work than those before', () => {
    const { scheduler, version } = experienced(20, 500, 10)
    scheduler.submit(version, { work: 1000 })
    expect(scheduler.admissions().at(-1)).toMatchObject({ stepMsMax: 200_000 })
    scheduler.finish([...scheduler.state.jobs.keys()][0]!)
    scheduler.submit(version, { work: 1 })
    expect(scheduler.admissions().at(-1)).toMatchObject({ stepMsMax: 2000 })
  })

  test('is as much for such a request after a restart', () => {
    const { scheduler, version } = experienced(20, 500, 10)
    const job = scheduler.recover(version, { work: 1000 })
    expect(scheduler.admissions().at(-1)).toMatchObject({ jobId: job, stepMsMax: 200_000 })
  })

  test('follows a model that becomes slower or faster', () => {
    const { scheduler, version } = experienced(20, 500)
    const step = (ms: number) => {
      const job = scheduler.submit(version)
      scheduler.start(job)
      scheduler.pass(ms)
      scheduler.finish(job)
    }
    step(3000)
    scheduler.submit(version)
    expect(scheduler.admissions().at(-1)).toMatchObject({ stepMsMax: 12_000 })
    scheduler.finish([...scheduler.state.jobs.keys()][0]!)
    for (let count = 0; count < 200; count += 1) step(100)
    scheduler.submit(version)
    expect(scheduler.admissions().at(-1)).toMatchObject({ stepMsMax: 400 })
  })

  test('is much more for a task whose worker died, in case the limit was wrong', () => {
    const { scheduler, version } = experienced(20, 500)
    const job = scheduler.submit(version)
    scheduler.start(job)
    scheduler.kill(scheduler.workerOf(version))
    scheduler.serve()
    expect(scheduler.admissions().at(-1)).toMatchObject({ jobId: job, stepMsMax: 60_000 })
  })

  test('takes no account of the time for which a task was paused', () => {
    const { scheduler, version } = experienced(20, 500)
    const { jobId, task } = scheduler.submitGraph(version, { only: {} })
    scheduler.start(jobId)
    scheduler.pause(jobId)
    scheduler.say({ kind: 'paused', taskId: task.only, stateBytes: 1 })
    scheduler.pass(600_000)
    scheduler.resume(jobId)
    scheduler.pass(500)
    scheduler.done(task.only)
    scheduler.submit(version)
    expect(scheduler.admissions().at(-1)).toMatchObject({ stepMsMax: 2000 })
  })
})
