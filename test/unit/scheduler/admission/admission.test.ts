import { describe, expect, test } from 'vitest'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

/** A device, and a version of batch limit 2 that is resident. */
function resident(batchLimit = 2) {
  const scheduler = new SchedulerUnderTest()
  scheduler.device()
  const version = scheduler.version({ batchLimit })
  scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
  scheduler.serve()
  return { scheduler, version, worker: scheduler.workerOf(version) }
}

describe('admission ahead of need', () => {
  test('a worker is given twice the batch limit, first come first', () => {
    const { scheduler, version, worker } = resident()
    const jobs = [1, 2, 3, 4, 5, 6].map(() => scheduler.submit(version))
    expect(scheduler.jobsAt(worker)).toEqual(jobs.slice(0, 4))
  })

  test('what a submission brings for one worker is one command', () => {
    const { scheduler, version } = resident()
    const specs = [1, 2, 3].map(() => scheduler.spec(version))
    const commands = scheduler.feed({ type: 'jobsSubmitted', jobs: specs })
    expect(commands.map(({ type }) => type)).toEqual(['admit'])
  })

  test('each report that frees places tops the worker up', () => {
    const { scheduler, version, worker } = resident()
    const jobs = [1, 2, 3, 4, 5, 6].map(() => scheduler.submit(version))
    scheduler.start(jobs[0]!, jobs[1]!)
    scheduler.finish(jobs[0]!)
    expect(scheduler.jobsAt(worker)).toEqual(jobs.slice(1, 5))
  })

  test('orders rise with submission', () => {
    const { scheduler, version } = resident(8)
    for (let count = 0; count < 5; count += 1) scheduler.submit(version)
    const orders = scheduler.admissions().map(({ order }) => order)
    expect(orders).toEqual([...orders].sort((a, b) => a - b))
  })

  test('interactive tasks go before batch tasks that came earlier', () => {
    const { scheduler, version, worker } = resident(1)
    const [first] = [scheduler.submit(version), scheduler.submit(version)]
    scheduler.submit(version, { class: 'batch' })
    const interactive = scheduler.submit(version)
    scheduler.start(first)
    scheduler.finish(first)
    expect(scheduler.jobsAt(worker)).toContain(interactive)
    // One of the batch tasks is let in beside, to get its share of the steps.
    expect(scheduler.admissions().map((admission) => admission.class)).toEqual([
      'interactive',
      'interactive',
      'batch',
      'interactive',
    ])
  })

  test('a worker full of batch tasks still takes interactive ones at once', () => {
    const { scheduler, version, worker } = resident(1)
    for (let count = 0; count < 5; count += 1) scheduler.submit(version, { class: 'batch' })
    const interactive = scheduler.submit(version)
    expect(scheduler.jobsAt(worker)).toContain(interactive)
  })

  test('a version that cannot be loaded holds up no other', () => {
    const { scheduler, version, worker } = resident()
    const stuck = scheduler.version({ engine: 'llama_cpp' })
    scheduler.submit(stuck)
    const job = scheduler.submit(version)
    expect(scheduler.jobsAt(worker)).toEqual([job])
  })

  test('nothing is admitted once the server drains, and what runs may end', () => {
    const { scheduler, version } = resident()
    const job = scheduler.submit(version)
    scheduler.feed({ type: 'drainRequested' })
    scheduler.submit(version)
    scheduler.finish(job)
    expect(scheduler.end(job)?.type).toBe('jobSucceeded')
    expect(scheduler.admissions()).toHaveLength(1)
  })

  test('what a worker was given ahead of need is taken back when the server drains, so that nothing begins any more', () => {
    const { scheduler, version, worker } = resident()
    const [running, cancelled, ahead] = [1, 2, 3].map(() => scheduler.submit(version))
    scheduler.start(running!)
    scheduler.feed({ type: 'cancelRequested', jobId: cancelled! })
    const { taskId } = scheduler.admissions().find(({ jobId }) => jobId === ahead)!
    const commands = scheduler.feed({ type: 'drainRequested' })
    expect(commands).toEqual([{ type: 'withdraw', workerId: worker, taskIds: [taskId] }])
    expect(scheduler.feed({ type: 'drainRequested' })).toEqual([])
    expect(scheduler.report(worker, { kind: 'withdrawn', taskId })).toEqual([])
    expect(scheduler.stateOf(ahead!)).toBe('queued')
  })
})

describe('reports', () => {
  test('a job runs from the first start of a task and ends with its result', () => {
    const { scheduler, version, worker } = resident()
    const job = scheduler.submit(version)
    expect(scheduler.stateOf(job)).toBe('queued')
    expect(scheduler.start(job)).toMatchObject([{ type: 'jobStarted', jobId: job, attempt: 1, workerId: worker }])
    expect(scheduler.finish(job)).toMatchObject([{ type: 'jobSucceeded', jobId: job }])
  })

  test('a step too short to be announced is a start and an end in one report', () => {
    const { scheduler, version } = resident()
    const job = scheduler.submit(version)
    expect(scheduler.finish(job).map(({ type }) => type)).toEqual(['jobStarted', 'jobSucceeded'])
  })

  test('reports of a worker that does not hold the task are ignored', () => {
    const { scheduler, version, worker } = resident()
    const job = scheduler.submit(version)
    const { taskId } = scheduler.admissions()[0]!
    scheduler.kill(worker)
    expect(scheduler.report(worker, { kind: 'done', taskId, stepsRun: 1, heldBytes: 0 })).toEqual([])
    expect(scheduler.stateOf(job)).not.toBe('gone')
  })

  test('a withdrawn task waits again as it did before', () => {
    const { scheduler, version, worker } = resident()
    const job = scheduler.submit(version)
    const { taskId } = scheduler.admissions()[0]!
    const commands = scheduler.report(worker, { kind: 'withdrawn', taskId })
    expect(commands).toMatchObject([{ type: 'admit', tasks: [{ jobId: job, attempt: 1 }] }])
  })
})

describe('a job of several tasks', () => {
  test('a task is admitted when its predecessors have ended, and the last one gives the result', () => {
    const { scheduler, version } = resident(8)
    const job = scheduler.submit([version, version], { after: 'chain' })
    expect(scheduler.admissions()).toHaveLength(1)
    scheduler.finish(job)
    expect(scheduler.end(job)).toBeUndefined()
    scheduler.finish(job)
    expect(scheduler.end(job)).toMatchObject({ type: 'jobSucceeded', taskId: scheduler.admissions()[1]!.taskId })
  })

  test('independent tasks run side by side and start the job once', () => {
    const { scheduler, version } = resident(8)
    const job = scheduler.submit([version, version])
    scheduler.start(job)
    expect(scheduler.all('jobStarted')).toHaveLength(1)
  })

  test('the failure of one task drops the others, and their places are free again when the worker says so', () => {
    const { scheduler, version, worker } = resident(1)
    const job = scheduler.submit([version, version])
    const [failing, other] = scheduler.admissions().map(({ taskId }) => taskId)
    const waiting = [scheduler.submit(version), scheduler.submit(version)]
    scheduler.report(worker, { kind: 'failed', taskId: failing!, code: 'invalid_request', retryable: false })
    expect(scheduler.end(job)).toMatchObject({
      type: 'jobFailed',
      code: 'INVALID_INPUT',
      retryable: false,
      taskId: failing,
    })
    expect(scheduler.all('cancelTasks')).toMatchObject([{ workerId: worker, taskIds: [other] }])
    expect(scheduler.jobsAt(worker)).toContain(waiting[0])
    expect(scheduler.jobsAt(worker)).not.toContain(waiting[1])
    scheduler.report(worker, { kind: 'cancelled', taskId: other! })
    expect(scheduler.jobsAt(worker)).toEqual(waiting)
  })

  test('tasks that wait for each other are a mistake of the caller', () => {
    const { scheduler, version } = resident()
    const spec = scheduler.spec([version, version])
    const [a, b] = spec.tasks
    const cycle = [
      { ...a!, after: [b!.taskId] },
      { ...b!, after: [a!.taskId] },
    ]
    expect(() => scheduler.feed({ type: 'jobsSubmitted', jobs: [{ ...spec, tasks: cycle }] })).toThrow('form a cycle')
  })

  test('tasks of several versions are a mistake of the caller', () => {
    const { scheduler, version } = resident()
    const mixed = scheduler.spec([version, scheduler.version()])
    expect(() => scheduler.feed({ type: 'jobsSubmitted', jobs: [mixed] })).toThrow('of several versions')
  })
})

test('a job of a version that is gone fails and says so', () => {
  const { scheduler, version } = resident()
  const spec = scheduler.spec(version)
  const tasks = spec.tasks.map((task) => ({ ...task, versionId: (version + 900) as typeof version }))
  scheduler.feed({ type: 'jobsSubmitted', jobs: [{ ...spec, tasks }] })
  expect(scheduler.end(spec.jobId)).toMatchObject({ code: 'MODEL_VERSION_GONE', retryable: false })
})
