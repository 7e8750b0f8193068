import { describe, expect, test } from 'vitest'
import type { DeviceId, JobId, VersionId } from '../../../../src/scheduler/ids.ts'
import type { SchedulerSettings } from '../../../../src/scheduler/settings.ts'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

/** Two devices, with both models on each of them. */
function twoDevices(settings: Partial<SchedulerSettings>) {
  const scheduler = new SchedulerUnderTest(settings)
  const devices = [scheduler.device(), scheduler.device()]
  const versions = [scheduler.version(), scheduler.version()]
  for (const deviceId of devices)
    for (const versionId of versions) {
      scheduler.feed({ type: 'loadRequested', versionId, deviceId })
      scheduler.serve()
    }
  return { scheduler, devices, versions }
}

function deviceOf(scheduler: SchedulerUnderTest, jobId: JobId): DeviceId | undefined {
  return scheduler.state.jobs.get(jobId)!.boundTo?.spec.deviceId
}

describe('a job is given its device when it comes', () => {
  test('in turn, with round robin, and the decision says so', () => {
    const { scheduler, devices, versions } = twoDevices({ routing: 'round-robin' })
    const jobs = [1, 2, 3, 4].map(() => scheduler.submit(versions[0]!))
    expect(jobs.map((jobId) => deviceOf(scheduler, jobId))).toEqual([...devices, ...devices])
    const placed = [...scheduler.state.decisions.read()].filter(({ reason }) => reason === 'routed')
    expect(placed.map(({ deviceId }) => deviceId).reverse()).toEqual([...devices, ...devices])
  })

  test('and runs there, though another has less to do', () => {
    const { scheduler, versions } = twoDevices({ routing: 'affinity' })
    const jobs = [1, 2, 3, 4, 5].map(() => scheduler.submit(versions[0]!))
    for (const jobId of jobs) {
      const job = scheduler.state.jobs.get(jobId)!
      if (job.home) expect(job.home.worker.slot.device).toBe(job.boundTo)
    }
  })

  test('and its model is loaded there', () => {
    const scheduler = new SchedulerUnderTest({ routing: 'round-robin' })
    const devices = [scheduler.device(), scheduler.device()]
    const version = scheduler.version()
    scheduler.submit(version)
    scheduler.submit(version)
    scheduler.serve()
    const places = scheduler.state.versions
      .get(version)!
      .residencies.map(({ worker }) => worker.slot.device.spec.deviceId)
    expect(places).toEqual(devices)
  })

  test('and another when that is lost before it has begun', () => {
    const { scheduler, devices, versions } = twoDevices({ routing: 'round-robin' })
    const jobs = Array.from({ length: 12 }, () => scheduler.submit(versions[0]!))
    scheduler.feed({ type: 'deviceLost', deviceId: devices[0]! })
    const waiting = jobs.filter((jobId) => !scheduler.state.jobs.get(jobId)!.home)
    expect(waiting.length).toBeGreaterThan(0)
    for (const jobId of waiting) expect(deviceOf(scheduler, jobId)).toBe(devices[1])
  })

  test('or later, where there is no device yet', () => {
    const scheduler = new SchedulerUnderTest({ routing: 'least-loaded' })
    const job = scheduler.submit(scheduler.version())
    expect(deviceOf(scheduler, job)).toBeUndefined()
    const deviceId = scheduler.device()
    scheduler.serve()
    expect(deviceOf(scheduler, job)).toBe(deviceId)
    scheduler.finish(job)
    expect(scheduler.stateOf(job)).toBe('gone')
  })

  test('by default none is', () => {
    const { scheduler, versions } = twoDevices({})
    expect(deviceOf(scheduler, scheduler.submit(versions[0]!))).toBeUndefined()
  })
})

describe('in the order of arrival', () => {
  function oneDevice() {
    const scheduler = new SchedulerUnderTest({ queueOrder: 'arrival', eviction: 'lru' })
    scheduler.device()
    const [here, missing] = [scheduler.version(), scheduler.version()]
    scheduler.feed({ type: 'loadRequested', versionId: here, deviceId: null })
    scheduler.serve()
    return { scheduler, here, missing }
  }

  test('nobody goes before one whose model is still to be loaded', () => {
    const { scheduler, here, missing } = oneDevice()
    const order: VersionId[] = [here, missing, here]
    const [first, second, third] = order.map((versionId) => scheduler.submit(versionId))
    expect(scheduler.jobsAt(scheduler.workerOf(here))).toEqual([first])
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(here))).toEqual([first, second, third])
  })

  test('only the model of the first in line is loaded', () => {
    const { scheduler, missing } = oneDevice()
    const later = scheduler.version()
    scheduler.submit(missing)
    scheduler.submit(later)
    expect(scheduler.all('load').map(({ versionId }) => versionId)).toContain(missing)
    expect(scheduler.all('load').map(({ versionId }) => versionId)).not.toContain(later)
    scheduler.serve()
    expect(scheduler.all('load').map(({ versionId }) => versionId)).toContain(later)
  })

  test('a job that is cancelled holds up nobody', () => {
    const { scheduler, here, missing } = oneDevice()
    const blocking = scheduler.submit(missing)
    const behind = scheduler.submit(here)
    scheduler.feed({ type: 'cancelRequested', jobId: blocking })
    expect(scheduler.jobsAt(scheduler.workerOf(here))).toEqual([behind])
  })

  test('a paused job holds up nobody either', () => {
    const { scheduler, here, missing } = oneDevice()
    const blocking = scheduler.submit(missing)
    const behind = scheduler.submit(here)
    scheduler.pause(blocking)
    expect(scheduler.jobsAt(scheduler.workerOf(here))).toEqual([behind])
  })
})
