import { describe, expect, test } from 'vitest'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

function onFirst() {
  const scheduler = new SchedulerUnderTest()
  const [first, second] = [scheduler.device({ limitBytes: 8192 * mib }), scheduler.device()]
  const version = scheduler.version({ batchLimit: 2 })
  scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: first })
  scheduler.serve()
  return { scheduler, first, second, version }
}

/** The workers of the device that were killed are gone. */
function reap(scheduler: SchedulerUnderTest): void {
  for (const { workerId } of scheduler.all('killWorker'))
    if (scheduler.state.workers.has(workerId)) scheduler.kill(workerId, 'requested')
}

describe('a device is lost', () => {
  test('its workers are killed, and nothing of theirs moves until they are certainly dead', () => {
    const { scheduler, first, version } = onFirst()
    const job = scheduler.submit(version)
    scheduler.start(job)
    const worker = scheduler.workerOf(version)
    const commands = scheduler.feed({ type: 'deviceLost', deviceId: first })
    expect(commands).toContainEqual({ type: 'killWorker', workerId: worker })
    expect(scheduler.all('jobRequeued')).toEqual([])
  })

  test('its tasks go on elsewhere from their checkpoints, and it is nobody’s failure', () => {
    const { scheduler, first, second, version } = onFirst()
    const { jobId, task } = scheduler.submitGraph(version, { only: {} })
    scheduler.start(jobId)
    scheduler.say({ kind: 'step', taskId: task.only, done: 5, total: 9 })
    scheduler.save(task.only, 5)
    scheduler.feed({ type: 'deviceLost', deviceId: first })
    reap(scheduler)
    expect(scheduler.all('jobRequeued')).toMatchObject([
      { jobId, cause: 'device_lost', fromStep: 5, failedAttempts: 0, deathsAlone: 0 },
    ])
    scheduler.serve()
    expect(scheduler.state.workers.get(scheduler.workerOf(version))?.slot.device.spec.deviceId).toBe(second)
    expect(scheduler.admission(task.only)).toMatchObject({ isRestored: true })
  })

  test('a load that was asked for there waits, and lets those for other devices go ahead', () => {
    const scheduler = new SchedulerUnderTest()
    const [lost, other] = [scheduler.device(), scheduler.device()]
    const version = scheduler.version()
    scheduler.feed({ type: 'deviceLost', deviceId: lost })
    scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: lost })
    scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: other })
    scheduler.serve()
    expect(scheduler.state.workers.get(scheduler.workerOf(version))?.slot.device.spec.deviceId).toBe(other)
    expect(scheduler.state.versions.get(version)?.requests).toEqual([lost])
    scheduler.feed({ type: 'deviceReturned', deviceId: lost })
    scheduler.serve()
    expect(scheduler.state.versions.get(version)?.requests).toEqual([])
  })

  test('nobody claims it any more, also where there is no other', () => {
    const scheduler = new SchedulerUnderTest()
    const only = scheduler.device()
    const version = scheduler.version()
    scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
    expect(scheduler.state.devices.get(only)?.claim?.spec.versionId).toBe(version)
    scheduler.feed({ type: 'deviceLost', deviceId: only })
    expect(scheduler.state.devices.get(only)?.claim).toBeNull()
    expect(scheduler.state.versions.get(version)?.claimed).toBeNull()
  })

  test('what no other device can hold waits for its return, and is told why', () => {
    const scheduler = new SchedulerUnderTest()
    const [large] = [scheduler.device({ limitBytes: 8192 * mib }), scheduler.device({ limitBytes: 500 * mib })]
    const version = scheduler.version({ weightsBytes: 2000 * mib })
    const job = scheduler.submit(version)
    scheduler.serve()
    scheduler.start(job)
    scheduler.feed({ type: 'deviceLost', deviceId: large })
    reap(scheduler)
    scheduler.pass(600_000)
    scheduler.serve()
    expect(scheduler.stateOf(job)).toBe('queued')
    expect(scheduler.wait(job)).toMatchObject({ code: 'NO_DEVICE' })
    scheduler.feed({ type: 'deviceReturned', deviceId: large })
    scheduler.serve()
    expect(scheduler.admissions().at(-1)).toMatchObject({ jobId: job })
  })

  test('on its return it is tried with one task at a time', () => {
    const scheduler = new SchedulerUnderTest()
    const deviceId = scheduler.device()
    const version = scheduler.version({ batchLimit: 2 })
    scheduler.submit(version)
    scheduler.serve()
    scheduler.feed({ type: 'deviceLost', deviceId })
    reap(scheduler)
    for (let job = 0; job < 5; job += 1) scheduler.submit(version)
    expect(scheduler.state.workers.size).toBe(0)
    scheduler.feed({ type: 'deviceReturned', deviceId })
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(version))).toHaveLength(1)
  })

  test('what its killed workers had still to say shows nothing of those that come after them', () => {
    const scheduler = new SchedulerUnderTest()
    const deviceId = scheduler.device()
    const version = scheduler.version({ batchLimit: 2 })
    const jobs = [scheduler.submit(version), scheduler.submit(version)]
    scheduler.serve()
    scheduler.feed({ type: 'deviceLost', deviceId })
    scheduler.feed({ type: 'deviceReturned', deviceId })
    scheduler.finish(jobs[0]!)
    reap(scheduler)
    for (let job = 0; job < 5; job += 1) scheduler.submit(version)
    scheduler.pass(600_000)
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(version))).toHaveLength(1)
  })
})
