import { expect, test } from 'vitest'
import type { DeviceId, VersionId } from '../../../../src/scheduler/ids.ts'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

function run(scheduler: SchedulerUnderTest, versionId: VersionId, execMs: number): void {
  const job = scheduler.submit(versionId)
  scheduler.start(job)
  scheduler.pass(execMs)
  scheduler.finish(job)
  scheduler.serve()
}

/** The first device takes four times as long as the second. */
function unequal(slowMs = 400, fastMs = 100) {
  const scheduler = new SchedulerUnderTest()
  const [slow, fast] = [scheduler.device(), scheduler.device()]
  const versions = [slow, fast].map((deviceId) => {
    const versionId = scheduler.version()
    scheduler.feed({ type: 'loadRequested', versionId, deviceId })
    scheduler.serve()
    return versionId
  })
  const probe = scheduler.version()
  for (const deviceId of [slow, fast]) {
    scheduler.feed({ type: 'loadRequested', versionId: probe, deviceId })
    scheduler.serve()
  }
  /** Work of one model on both devices tells how they compare. */
  const compare = () => {
    for (let count = 0; count < 60; count += 1) {
      const jobs = [scheduler.submit(probe), scheduler.submit(probe)]
      const placeOf = new Map(
        jobs.map((jobId) => [scheduler.state.jobs.get(jobId)!.home!.worker.slot.device.spec.deviceId, jobId]),
      )
      scheduler.start(...jobs)
      scheduler.pass(fastMs)
      scheduler.finish(placeOf.get(fast)!)
      scheduler.pass(slowMs - fastMs)
      scheduler.finish(placeOf.get(slow)!)
    }
  }
  return { scheduler, slow, fast, onSlow: versions[0]!, compare }
}

function whereIs(scheduler: SchedulerUnderTest, versionId: VersionId): DeviceId[] {
  return scheduler.state.versions.get(versionId)!.residencies.map(({ worker }) => worker.slot.device.spec.deviceId)
}

function moves(scheduler: SchedulerUnderTest) {
  return [...scheduler.state.decisions.read()].filter(({ kind }) => kind === 'MIGRATE')
}

test('a model that is much asked for moves to the faster device: copy first, then switch', () => {
  const { scheduler, fast, slow, onSlow, compare } = unequal()
  compare()
  const places: DeviceId[][] = []
  for (let count = 0; count < 100; count += 1) {
    run(scheduler, onSlow, 400)
    places.push(whereIs(scheduler, onSlow))
  }
  expect(places[0]).toEqual([slow])
  expect(places.at(-1)).toEqual([fast])
  expect(places.every((each) => each.length > 0)).toBe(true)
  expect(moves(scheduler)[0]).toMatchObject({ versionId: onSlow, deviceId: fast, scheme: 'move' })
})

test('a model that nobody asks for stays where it is', () => {
  const { scheduler, slow, onSlow, compare } = unequal()
  compare()
  scheduler.pass(60_000)
  expect(whereIs(scheduler, onSlow)).toEqual([slow])
})

test('nothing moves where devices are alike', () => {
  const { scheduler, slow, onSlow, compare } = unequal(100, 90)
  compare()
  for (let count = 0; count < 100; count += 1) run(scheduler, onSlow, 100)
  expect(whereIs(scheduler, onSlow)).toEqual([slow])
  expect(moves(scheduler)).toEqual([])
})
