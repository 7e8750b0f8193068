import { describe, expect, test } from 'vitest'
import type { JobId, TaskId, VersionId } from '../../../../src/scheduler/ids.ts'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

/** A device that holds one of two models, with a batch job at work on the first. */
function batchAtWork() {
  const scheduler = new SchedulerUnderTest()
  scheduler.device({ limitBytes: 1024 * mib })
  const large = () => scheduler.version({ weightsBytes: 600 * mib, componentBytes: [600 * mib] })
  const [first, second] = [large(), large()]
  const batch = scheduler.submit(first, { class: 'batch' })
  scheduler.serve()
  scheduler.start(batch)
  scheduler.pass(20_000)
  return { scheduler, first, second, batch, task: taskOf(scheduler, batch) }
}

function taskOf({ state }: SchedulerUnderTest, jobId: JobId): TaskId {
  return state.jobs.get(jobId)!.tasks[0]!.taskId
}

function isResident({ state }: SchedulerUnderTest, versionId: VersionId): boolean {
  return state.versions.get(versionId)!.residencies.some((residency) => residency.state === 'resident')
}

/** The worker leaves the task out of steps once it is saved, as it is told to. */
function makesWay(scheduler: SchedulerUnderTest, task: TaskId): void {
  scheduler.save(task, 7)
  scheduler.say({ kind: 'paused', taskId: task, stateBytes: mib })
  scheduler.say({ kind: 'cancelled', taskId: task })
  scheduler.serve()
}

describe('interactive work that needs memory', () => {
  test('has it at once: the batch job is saved and pauses, and its model goes', () => {
    const { scheduler, second, batch, task } = batchAtWork()
    const interactive = scheduler.submit(second)
    expect(scheduler.all('pauseTasks')).toMatchObject([{ taskIds: [task] }])
    makesWay(scheduler, task)
    expect(scheduler.all('jobPaused')).toEqual([{ type: 'jobPaused', jobId: batch, cause: 'interactive_work' }])
    scheduler.start(interactive)
    expect(scheduler.stateOf(interactive)).toBe('running')
    expect(scheduler.wait(batch).code).toBe('PAUSED')
  })

  test('gives it back: the batch job waits again, and goes on from where it was saved when there is room', () => {
    const { scheduler, first, second, batch, task } = batchAtWork()
    const interactive = scheduler.submit(second)
    makesWay(scheduler, task)
    scheduler.start(interactive)
    scheduler.pass(5_000)
    expect(scheduler.stateOf(batch)).toBe('queued')
    scheduler.finish(interactive)
    // Users come back to what they have used of late, until batch work has waited too long.
    scheduler.pass(700_000)
    scheduler.serve()
    expect(isResident(scheduler, first)).toBe(true)
    expect(scheduler.admission(task)).toMatchObject({ isRestored: true })
  })

  test('waits like others where the model is in use by interactive work too', () => {
    const { scheduler, first, second } = batchAtWork()
    scheduler.start(scheduler.submit(first))
    scheduler.submit(second)
    expect(scheduler.all('pauseTasks')).toEqual([])
  })

  test('pauses nobody who has made way often enough', () => {
    const { scheduler, second, batch } = batchAtWork()
    const job = scheduler.state.jobs.get(batch)!
    const times = scheduler.state.settings.preemptionLimit
    scheduler.state.preemption.jobs.set(job, { times, resumeAt: null, resumedAt: null })
    scheduler.submit(second)
    expect(scheduler.all('pauseTasks')).toEqual([])
  })

  test('pauses nothing where there is room for both', () => {
    const { scheduler } = batchAtWork()
    const small = scheduler.version({ weightsBytes: 10 * mib, componentBytes: [10 * mib] })
    scheduler.submit(small)
    scheduler.serve()
    expect(scheduler.all('jobPaused')).toEqual([])
    expect(isResident(scheduler, small)).toBe(true)
  })
})

test('batch work takes memory from no other batch work in this way', () => {
  const { scheduler, second } = batchAtWork()
  scheduler.submit(second, { class: 'batch' })
  expect(scheduler.all('pauseTasks')).toEqual([])
})

test('what a user has paused meanwhile stays paused', () => {
  const { scheduler, second, batch, task } = batchAtWork()
  scheduler.submit(second)
  makesWay(scheduler, task)
  scheduler.pause(batch)
  scheduler.pass(20_000)
  expect(scheduler.stateOf(batch)).toBe('paused')
})

test('a hold grows while pauses follow each other, and shrinks when they do not', () => {
  const { scheduler, second, batch, task } = batchAtWork()
  const { preemptionHoldMsMin } = scheduler.state.settings
  const job = scheduler.state.jobs.get(batch)!
  scheduler.state.preemption.jobs.set(job, { times: 1, resumeAt: null, resumedAt: scheduler.now - 1 })
  const interactive = scheduler.submit(second)
  expect(scheduler.state.preemption.holdMs).toBe(2 * preemptionHoldMsMin)
  makesWay(scheduler, task)
  scheduler.start(interactive)
  scheduler.pass(preemptionHoldMsMin)
  expect(scheduler.stateOf(batch)).toBe('paused')
  scheduler.pass(preemptionHoldMsMin)
  expect(scheduler.stateOf(batch)).toBe('queued')
})
