import { describe, expect, test } from 'vitest'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

describe('deadlines', () => {
  test('a job that waits past its deadline fails when the timer fires', () => {
    const scheduler = new SchedulerUnderTest()
    const job = scheduler.submit(scheduler.version(), { deadlineAt: scheduler.now + 500 })
    expect(scheduler.all('setTimer')).toEqual([{ type: 'setTimer', at: scheduler.now + 500 }])
    scheduler.pass(499)
    expect(scheduler.end(job)).toBeUndefined()
    scheduler.pass(1)
    expect(scheduler.end(job)).toMatchObject({
      type: 'jobFailed',
      code: 'DEADLINE_EXCEEDED',
      retryable: true,
      taskId: null,
    })
  })

  test('a job that a worker has is left to that worker', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    const job = scheduler.submit(scheduler.version(), { deadlineAt: scheduler.now + 500 })
    scheduler.serve()
    expect(scheduler.admissions()).toMatchObject([{ jobId: job, deadlineAt: 1500 }])
    scheduler.pass(1000)
    expect(scheduler.end(job)).toBeUndefined()
    scheduler.fail(job, 'deadline_exceeded', false)
    expect(scheduler.end(job)).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  })

  test('a job that comes back from a dead worker too late is not tried again', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    const version = scheduler.version()
    const job = scheduler.submit(version, { deadlineAt: scheduler.now + 500 })
    scheduler.serve()
    scheduler.start(job)
    scheduler.pass(1000)
    scheduler.kill(scheduler.workerOf(version))
    expect(scheduler.end(job)).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  })

  test('a deadline that has passed already fails the job at once', () => {
    const scheduler = new SchedulerUnderTest()
    const job = scheduler.submit(scheduler.version(), { deadlineAt: scheduler.now - 1 })
    expect(scheduler.end(job)).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  })
})

describe('the one timer', () => {
  test('is set again only for something earlier', () => {
    const scheduler = new SchedulerUnderTest()
    const version = scheduler.version()
    for (const inMs of [500, 900, 500, 300, 700]) scheduler.submit(version, { deadlineAt: scheduler.now + inMs })
    expect(scheduler.all('setTimer').map(({ at }) => at)).toEqual([1500, 1300])
  })

  test('that fires too early is set again for the same time', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.submit(scheduler.version(), { deadlineAt: scheduler.now + 500 })
    scheduler.now += 499
    expect(scheduler.feed({ type: 'timerFired' })).toEqual([{ type: 'setTimer', at: 1500 }])
  })

  test('that fires for nothing does no harm', () => {
    const scheduler = new SchedulerUnderTest()
    const job = scheduler.submit(scheduler.version(), { deadlineAt: scheduler.now + 500 })
    scheduler.feed({ type: 'cancelRequested', jobId: job })
    scheduler.now += 500
    expect(scheduler.feed({ type: 'timerFired' })).toEqual([])
  })
})
