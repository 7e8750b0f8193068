import { describe, expect, test } from 'vitest'
import type { VersionId, WorkerId } from '../../../../src/scheduler/ids.ts'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

/** A device with a version whose workers died often enough to open the circuit. */
function opened() {
  const scheduler = new SchedulerUnderTest()
  scheduler.device()
  const version = scheduler.version({ batchLimit: 4 })
  scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
  for (let death = 0; death < 3; death += 1) {
    scheduler.serve()
    scheduler.kill(anyWorker(scheduler))
    if (death < 2) scheduler.pass(100)
  }
  return { scheduler, version }
}

function anyWorker(scheduler: SchedulerUnderTest): WorkerId {
  return [...scheduler.state.workers.keys()].at(-1)!
}

/** It is there again. */
function returned() {
  const { scheduler, version } = opened()
  scheduler.pass(1000)
  scheduler.serve()
  scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
  scheduler.serve()
  return { scheduler, version }
}

function atWork(scheduler: SchedulerUnderTest, version: VersionId): number {
  return scheduler.jobsAt(scheduler.workerOf(version)).length
}

describe('a place whose workers die again and again', () => {
  test('gets no worker until the back-off is over, not even a spare that stands there', () => {
    const { scheduler } = opened()
    expect(scheduler.state.workers.size).toBe(0)
    scheduler.pass(999)
    expect(scheduler.state.workers.size).toBe(0)
    scheduler.pass(1)
    expect(scheduler.state.workers.size).toBe(1)
  })

  test('is then tried with one task at a time', () => {
    const { scheduler, version } = returned()
    const jobs = [1, 2, 3, 4, 5, 6].map(() => scheduler.submit(version))
    expect(atWork(scheduler, version)).toBe(1)
    scheduler.fail(jobs[0]!, 'engine_error')
    expect(atWork(scheduler, version)).toBe(1)
  })

  test('gets half of its usual work once a task has ended well, and all of it after a minute', () => {
    const { scheduler, version } = returned()
    const jobs = Array.from({ length: 12 }, () => scheduler.submit(version))
    scheduler.finish(jobs[0]!)
    expect(atWork(scheduler, version)).toBe(4)
    scheduler.pass(59_000)
    expect(atWork(scheduler, version)).toBe(4)
    scheduler.pass(1000)
    expect(atWork(scheduler, version)).toBe(8)
  })

  test('is held back for longer if it fails again, and for one second once it was trusted again', () => {
    const { scheduler, version } = returned()
    scheduler.finish(scheduler.submit(version))
    scheduler.kill(anyWorker(scheduler))
    scheduler.pass(1999)
    expect(scheduler.state.workers.size).toBe(0)
    scheduler.pass(1)
    expect(scheduler.state.workers.size).toBe(1)
    scheduler.serve()
    scheduler.finish(scheduler.submit(version))
    scheduler.pass(60_000)
    expect(scheduler.state.unsteady.size).toBe(0)
  })
})

test('between two devices that are alike, the one that is trusted gets the load', () => {
  const loadedOn = (isFirstLost: boolean) => {
    const scheduler = new SchedulerUnderTest()
    const devices = [scheduler.device(), scheduler.device()]
    const [everywhere, next] = [scheduler.version(), scheduler.version()]
    const loadEverywhere = () => {
      for (const deviceId of devices) scheduler.feed({ type: 'loadRequested', versionId: everywhere, deviceId })
      scheduler.serve()
      scheduler.serve()
    }
    loadEverywhere()
    if (isFirstLost) {
      scheduler.feed({ type: 'deviceLost', deviceId: devices[0]! })
      for (const { workerId } of scheduler.all('killWorker')) scheduler.kill(workerId, 'requested')
      scheduler.feed({ type: 'deviceReturned', deviceId: devices[0]! })
      loadEverywhere()
    }
    scheduler.submit(next)
    scheduler.serve()
    return devices.indexOf(scheduler.state.workers.get(scheduler.workerOf(next))!.slot.device.spec.deviceId)
  }
  expect(loadedOn(false)).toBe(0)
  expect(loadedOn(true)).toBe(1)
})
