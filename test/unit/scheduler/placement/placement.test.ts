import { describe, expect, test } from 'vitest'
import type { DeviceId, VersionId } from '../../../../src/scheduler/ids.ts'
import { misfit } from '../../../../src/scheduler/placement/misfit.ts'
import { mib, runtimeBytes, SchedulerUnderTest } from '../scheduler-under-test.ts'

function deviceOfLoad(scheduler: SchedulerUnderTest, index: number): number {
  const { workerId } = scheduler.all('load')[index]!
  return scheduler.all('spawnWorker').find((spawn) => spawn.workerId === workerId)!.deviceId
}

/** One model on each of so many devices. */
function eachOnItsDevice(
  names: readonly string[],
  { limitBytes = 4096 * mib, weightsBytes = 100 * mib }: { limitBytes?: number; weightsBytes?: number } = {},
) {
  const scheduler = new SchedulerUnderTest()
  const devices = names.map(() => scheduler.device({ limitBytes }))
  const versions = names.map((modelName, index) => {
    const versionId = scheduler.version({ modelName, weightsBytes })
    scheduler.feed({ type: 'loadRequested', versionId, deviceId: devices[index]! })
    scheduler.serve()
    return versionId
  })
  scheduler.pass(60_000)
  return { scheduler, devices, versions }
}

/** Jobs of it take so long. */
function teach(scheduler: SchedulerUnderTest, versionId: VersionId, execMs: number): void {
  const job = scheduler.submit(versionId)
  scheduler.start(job)
  scheduler.pass(execMs)
  scheduler.finish(job)
}

function whereIs(scheduler: SchedulerUnderTest, versionId: VersionId): DeviceId[] {
  return scheduler.state.versions.get(versionId)!.residencies.map(({ worker }) => worker.slot.device.spec.deviceId)
}

describe('where a version is loaded', () => {
  test('where it fits, though another device is less loaded', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ limitBytes: 200 * mib })
    const large = scheduler.device()
    const version = scheduler.version({ weightsBytes: 300 * mib })
    scheduler.submit(version)
    scheduler.serve()
    expect(deviceOfLoad(scheduler, 0)).toBe(large)
  })

  test('where a job of it would be done first: not behind the work of others', () => {
    const { scheduler, devices, versions } = eachOnItsDevice(['busy', 'idle'])
    teach(scheduler, versions[0]!, 2000)
    scheduler.submit(versions[0]!)
    const other = scheduler.version()
    scheduler.submit(other)
    scheduler.serve()
    expect(whereIs(scheduler, other)).toEqual([devices[1]])
  })

  test('not where models would have to go that are asked for all the time', () => {
    const { scheduler, devices, versions } = eachOnItsDevice(['popular', 'forgotten'], { limitBytes: 400 * mib })
    for (let count = 0; count < 20; count += 1) {
      scheduler.finish(scheduler.submit(versions[0]!))
      scheduler.pass(500)
    }
    const large = scheduler.version({ weightsBytes: 250 * mib })
    scheduler.submit(large)
    scheduler.serve()
    expect(whereIs(scheduler, large)).toEqual([devices[1]])
  })

  test('on the device that was asked for', () => {
    const scheduler = new SchedulerUnderTest()
    const [, second] = [scheduler.device(), scheduler.device()]
    const versionId = scheduler.version()
    scheduler.feed({ type: 'loadRequested', versionId, deviceId: second })
    scheduler.serve()
    expect(deviceOfLoad(scheduler, 0)).toBe(second)
  })

  test('weights take at most their share of a device', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ limitBytes: 1000 * mib })
    const versions = [1, 2].map(() => scheduler.version({ weightsBytes: 401 * mib, workingBytes: 0 }))
    for (const version of versions) scheduler.submit(version, { class: 'batch' })
    scheduler.serve()
    expect(scheduler.all('load')).toHaveLength(1)
    expect([...scheduler.state.devices.values()][0]!.weightsBytes).toBe(401 * mib)
  })

  test('the decision names the winner and the losers with their scores', () => {
    const scheduler = new SchedulerUnderTest()
    const devices = [scheduler.device(), scheduler.device({ limitBytes: 8192 * mib })]
    scheduler.submit(scheduler.version())
    scheduler.serve()
    const load = [...scheduler.state.decisions.read()].find(({ kind }) => kind === 'LOAD')!
    expect(new Set(load.scores.map(({ deviceId }) => deviceId))).toEqual(new Set(devices))
    expect(load.scores[0]!.deviceId).toBe(load.deviceId)
  })
})

describe('a second copy', () => {
  test('is loaded where it saves more waiting than its load takes', () => {
    const { scheduler, versions } = eachOnItsDevice(['busy', 'idle'])
    const [busy] = versions
    teach(scheduler, busy!, 1000)
    for (let count = 0; count < 12; count += 1) scheduler.submit(busy!)
    scheduler.serve()
    expect(whereIs(scheduler, busy!)).toHaveLength(2)
    expect(scheduler.state.versions.get(busy!)!.residencies.map(({ admitted }) => admitted)).toEqual([4, 4])
  })

  test('is not loaded for a queue that drains before a load would end', () => {
    const { scheduler, versions } = eachOnItsDevice(['busy', 'idle'])
    const [busy] = versions
    teach(scheduler, busy!, 10)
    for (let count = 0; count < 12; count += 1) scheduler.submit(busy!)
    scheduler.serve()
    expect(whereIs(scheduler, busy!)).toHaveLength(1)
  })

  test('is not loaded where models would have to go that are asked for all the time', () => {
    const { scheduler, versions } = eachOnItsDevice(['busy', 'popular'], {
      limitBytes: 400 * mib,
      weightsBytes: 250 * mib,
    })
    const [busy, popular] = versions
    teach(scheduler, busy!, 1000)
    for (let count = 0; count < 500; count += 1) scheduler.finish(scheduler.submit(popular!))
    for (let count = 0; count < 12; count += 1) scheduler.submit(busy!)
    scheduler.serve()
    expect(whereIs(scheduler, busy!)).toHaveLength(1)
    expect(scheduler.all('unload')).toEqual([])
  })

  test('tasks go to the copy with the least of them', () => {
    const scheduler = new SchedulerUnderTest()
    const devices = [scheduler.device(), scheduler.device()]
    const versionId = scheduler.version()
    for (const deviceId of devices) scheduler.feed({ type: 'loadRequested', versionId, deviceId })
    scheduler.serve()
    for (let count = 0; count < 4; count += 1) scheduler.submit(versionId)
    expect([...scheduler.state.residencies.values()].map(({ admitted }) => admitted)).toEqual([2, 2])
  })
})

describe('a version that no device could ever hold', () => {
  test('is a misfit, with what it needs and what there is', () => {
    const scheduler = new SchedulerUnderTest({ runtimeBytes })
    scheduler.device({ limitBytes: 1000 * mib })
    const heavy = scheduler.version({ weightsBytes: 801 * mib })
    const roomy = scheduler.version({ weightsBytes: 700 * mib, workingBytes: 251 * mib })
    const fitting = scheduler.version({ weightsBytes: 700 * mib, workingBytes: 250 * mib })
    expect(misfit(scheduler.state, heavy)).toEqual({ neededBytes: 801 * mib, availableBytes: 800 * mib })
    expect(misfit(scheduler.state, roomy)).toEqual({ neededBytes: 1001 * mib, availableBytes: 1000 * mib })
    expect(misfit(scheduler.state, fitting)).toBeNull()
  })

  test('fails the jobs that came nevertheless', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ limitBytes: 100 * mib })
    const job = scheduler.submit(scheduler.version({ weightsBytes: 200 * mib }))
    expect(scheduler.end(job)).toMatchObject({ type: 'jobFailed', code: 'OUT_OF_MEMORY', retryable: false })
  })

  test('is not loaded on a device that was asked for and is too small, but is on another for jobs', () => {
    const scheduler = new SchedulerUnderTest()
    const small = scheduler.device({ limitBytes: 200 * mib })
    scheduler.device()
    const versionId = scheduler.version({ weightsBytes: 300 * mib })
    scheduler.feed({ type: 'loadRequested', versionId, deviceId: small })
    scheduler.serve()
    expect(scheduler.all('load')).toEqual([])
    scheduler.submit(versionId)
    scheduler.serve()
    expect(scheduler.all('load')).toHaveLength(1)
  })

  test('waits while there is no device at all', () => {
    const scheduler = new SchedulerUnderTest()
    const version = scheduler.version()
    const job = scheduler.submit(version)
    expect(misfit(scheduler.state, version)).toBeNull()
    scheduler.device()
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(version))).toEqual([job])
  })
})
