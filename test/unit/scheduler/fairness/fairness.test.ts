import { describe, expect, test } from 'vitest'
import type { JobId, SessionId, UserId, VersionId } from '../../../../src/scheduler/ids.ts'
import type { SchedulerSettings } from '../../../../src/scheduler/settings.ts'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

const [anna, ben] = [1, 2] as [UserId, UserId]
const session = (number: number) => ({ sessionId: number as SessionId })

/** One model that serves one job at a time, and takes them one by one: who is admitted is whose turn it was. */
function oneByOne(settings: Partial<SchedulerSettings> = {}) {
  const scheduler = new SchedulerUnderTest({ admitAheadFactor: 1, ...settings })
  scheduler.device()
  const version = scheduler.version({ batchLimit: 1 })
  scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
  scheduler.serve()
  const submit = (count: number, options: Parameters<typeof scheduler.submit>[1] = {}) =>
    Array.from({ length: count }, () => scheduler.submit(version, options))
  return { scheduler, version, submit }
}

/** Lets so many jobs run to their ends, each for as long as `msOf` says; answers them in the order in which they ran. */
function serve(
  scheduler: SchedulerUnderTest,
  version: VersionId,
  count: number,
  msOf: (jobId: JobId) => number = () => 10,
): JobId[] {
  const served: JobId[] = []
  for (let index = 0; index < count; index += 1) {
    const [jobId] = scheduler.jobsAt(scheduler.workerOf(version))
    if (jobId === undefined) break
    scheduler.start(jobId)
    scheduler.pass(msOf(jobId))
    scheduler.finish(jobId)
    served.push(jobId)
  }
  return served
}

function count(served: readonly JobId[], of: readonly JobId[]): number {
  return served.filter((jobId) => of.includes(jobId)).length
}

describe('users', () => {
  test('who is alone is served first come, first served', () => {
    const { scheduler, version, submit } = oneByOne()
    const jobs = [3, 50, 1, 8].flatMap((work) => submit(5, { work }))
    expect(serve(scheduler, version, 20)).toEqual(jobs)
  })

  test('a newcomer goes before the backlog of somebody who had much already', () => {
    const { scheduler, version, submit } = oneByOne()
    submit(50, { userId: anna })
    serve(scheduler, version, 10)
    const [newcomer] = submit(1, { userId: ben })
    expect(serve(scheduler, version, 3)).toContain(newcomer)
  })

  test('two with unlike backlogs share by measured work, however little their requests announce', () => {
    const { scheduler, version, submit } = oneByOne()
    const long = submit(300, { userId: anna })
    const short = submit(300, { userId: ben })
    const msOf = (jobId: JobId) => (long.includes(jobId) ? 40 : 10)
    const served = serve(scheduler, version, 250, msOf)
    const [longMs, shortMs] = [count(served, long) * 40, count(served, short) * 10]
    expect(longMs / (longMs + shortMs)).toBeGreaterThan(0.45)
    expect(longMs / (longMs + shortMs)).toBeLessThan(0.55)
  })

  test('who announces twice the work is served half as often', () => {
    const { scheduler, version, submit } = oneByOne()
    const large = submit(60, { userId: anna, work: 20 })
    submit(60, { userId: ben, work: 10 })
    const served = serve(scheduler, version, 60, (jobId) => (large.includes(jobId) ? 20 : 10))
    expect(count(served, large)).toBeGreaterThanOrEqual(18)
    expect(count(served, large)).toBeLessThanOrEqual(24)
  })

  test('who was away is owed nothing', () => {
    const { scheduler, version, submit } = oneByOne()
    const here = submit(100, { userId: anna })
    serve(scheduler, version, 50)
    const returned = submit(40, { userId: ben })
    const served = serve(scheduler, version, 20)
    expect(count(served, here)).toBeGreaterThanOrEqual(9)
    expect(count(served, returned)).toBeGreaterThanOrEqual(9)
  })

  test('jobs of one user never overtake each other, whatever they turn out to cost', () => {
    const { scheduler, version, submit } = oneByOne()
    const mine = [1, 30, 2, 9, 80].flatMap((work) => submit(6, { userId: anna, work }))
    submit(60, { userId: ben, work: 4 })
    const served = serve(scheduler, version, 90, (jobId) => 1 + (jobId % 7) * 20)
    expect(served.filter((jobId) => mine.includes(jobId))).toEqual(mine)
  })

  test('a job that lost its worker is the next of all', () => {
    const { scheduler, version, submit } = oneByOne()
    submit(5, { userId: anna })
    submit(5, { userId: ben })
    serve(scheduler, version, 4)
    const worker = scheduler.workerOf(version)
    const [lost] = scheduler.jobsAt(worker)
    scheduler.kill(worker)
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(version))[0]).toBe(lost)
  })
})

describe('sessions of one user', () => {
  test('share what their user has, by weight', () => {
    const { scheduler, version, submit } = oneByOne()
    const heavy = submit(80, { userId: anna, ...session(1), weight: 3 })
    const light = submit(80, { userId: anna, ...session(2), weight: 1 })
    const other = submit(80, { userId: ben, ...session(3) })
    const served = serve(scheduler, version, 80)
    expect(count(served, other)).toBeGreaterThanOrEqual(37)
    expect(count(served, other)).toBeLessThanOrEqual(43)
    expect(count(served, heavy) / count(served, light)).toBeGreaterThan(2.3)
    expect(count(served, heavy) / count(served, light)).toBeLessThan(3.7)
  })

  test('opened anew for every job they bring their user nothing', () => {
    const { scheduler, version, submit } = oneByOne()
    const patient = submit(60, { userId: anna, ...session(1) })
    let served: JobId[] = []
    for (let number = 2; number < 42; number += 1) {
      submit(1, { userId: ben, ...session(number) })
      served = [...served, ...serve(scheduler, version, 1)]
    }
    expect(count(served, patient)).toBeGreaterThanOrEqual(18)
  })
})

describe('first come, first served, if the settings say so', () => {
  test('whoever it is', () => {
    const { scheduler, version, submit } = oneByOne({ queueOrder: 'arrival' })
    const jobs = [...submit(10, { userId: anna }), ...submit(10, { userId: ben })]
    expect(serve(scheduler, version, 20)).toEqual(jobs)
  })
})

describe('a deadline that is near', () => {
  test('goes before other jobs of its user', () => {
    const { scheduler, version, submit } = oneByOne()
    submit(30, { userId: anna })
    const [urgent] = submit(1, { userId: anna, deadlineAt: scheduler.now + 10_000 })
    serve(scheduler, version, 2)
    scheduler.pass(9_000)
    expect(serve(scheduler, version, 3)).toContain(urgent)
  })

  test('goes before nobody else, if its user has had enough', () => {
    const { scheduler, version, submit } = oneByOne()
    const others = submit(30, { userId: ben })
    submit(30, { userId: anna })
    const urgent = submit(20, { userId: anna, deadlineAt: scheduler.now + 3_000 })
    scheduler.pass(2_000)
    const served = serve(scheduler, version, 20)
    expect(count(served, urgent)).toBeGreaterThanOrEqual(5)
    expect(count(served, others)).toBeGreaterThanOrEqual(6)
  })

  test('that is far changes nothing', () => {
    const { scheduler, version, submit } = oneByOne()
    const jobs = [...submit(5, { userId: anna }), ...submit(1, { userId: anna, deadlineAt: scheduler.now + 60_000 })]
    expect(serve(scheduler, version, 6)).toEqual(jobs)
  })
})
