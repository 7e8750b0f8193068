import { describe, expect, test } from 'vitest'
import type { DeviceId, VersionId } from '../../../../src/scheduler/ids.ts'
import { isPinned, pinProblem } from '../../../../src/scheduler/pins/pins.ts'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

function pin(scheduler: SchedulerUnderTest, versionId: VersionId, deviceId: DeviceId | null = null, pinned = true) {
  scheduler.feed({ type: 'pinRequested', versionId, deviceId, pinned })
  scheduler.serve()
}

/** A device on which two of these models fit, and three do not; the first is pinned and there. */
function pinnedAndCrowded() {
  const scheduler = new SchedulerUnderTest()
  const device = scheduler.device({ name: 'cpu', limitBytes: 700 * mib })
  const versions = [1, 2, 3].map(() => scheduler.version({ weightsBytes: 250 * mib }))
  const [pinned, second, third] = versions as [VersionId, VersionId, VersionId]
  pin(scheduler, pinned)
  return { scheduler, device, pinned, second, third }
}

/** A job comes, is served and ends, and a while passes. */
function use(scheduler: SchedulerUnderTest, versionId: VersionId): void {
  const job = scheduler.submit(versionId)
  scheduler.serve()
  scheduler.finish(job)
  scheduler.pass(60_000)
}

const isThere = (scheduler: SchedulerUnderTest, versionId: VersionId) =>
  scheduler.state.versions.get(versionId)!.residencies.some(({ state }) => state === 'resident')

describe('a pinned model', () => {
  test('is loaded, and never evicted, however long nobody uses it', () => {
    const { scheduler, pinned, second, third } = pinnedAndCrowded()
    expect(isThere(scheduler, pinned)).toBe(true)
    for (let round = 0; round < 3; round += 1) for (const version of [second, third]) use(scheduler, version)
    expect(scheduler.all('unload').map(({ versionId }) => versionId)).not.toContain(pinned)
    expect(isThere(scheduler, pinned)).toBe(true)
  })

  test('may go again once it is unpinned', () => {
    const { scheduler, pinned, second, third } = pinnedAndCrowded()
    pin(scheduler, pinned, null, false)
    for (const version of [second, third]) use(scheduler, version)
    expect(scheduler.all('unload').map(({ versionId }) => versionId)).toEqual([pinned])
  })

  test('is not asked to make room for what has waited long', () => {
    const { scheduler, pinned } = pinnedAndCrowded()
    const running = scheduler.submit(pinned)
    scheduler.start(running)
    const large = scheduler.submit(scheduler.version({ weightsBytes: 500 * mib }))
    scheduler.pass(10 * 60_000)
    expect(scheduler.all('unload')).toEqual([])
    expect(scheduler.stateOf(large)).toBe('queued')
  })

  test('stays when somebody asks to unload it', () => {
    const { scheduler, pinned } = pinnedAndCrowded()
    scheduler.feed({ type: 'unloadRequested', versionId: pinned, deviceId: null })
    expect(scheduler.all('unload')).toEqual([])
  })

  test('comes back when its worker dies', () => {
    const { scheduler, pinned } = pinnedAndCrowded()
    scheduler.kill(scheduler.workerOf(pinned))
    scheduler.pass(1000)
    scheduler.serve()
    expect(isThere(scheduler, pinned)).toBe(true)
  })

  test('is loaded on the device that it is pinned on, and on each of them', () => {
    const scheduler = new SchedulerUnderTest()
    const [first, second] = [scheduler.device(), scheduler.device()]
    const version = scheduler.version()
    for (const device of [second, first]) pin(scheduler, version, device)
    const { residencies } = scheduler.state.versions.get(version)!
    expect(residencies.map(({ worker }) => worker.slot.device.spec.deviceId)).toEqual([second, first])
    expect(residencies.every(isPinned)).toBe(true)
    pin(scheduler, version, second, false)
    expect(residencies.map(isPinned)).toEqual([false, true])
  })
})

describe('a pin that could not be kept', () => {
  test('is refused with numbers, and says so', () => {
    const scheduler = new SchedulerUnderTest()
    const device = scheduler.device({ limitBytes: 1000 * mib })
    const [first, second] = [
      scheduler.version({ weightsBytes: 500 * mib }),
      scheduler.version({ weightsBytes: 400 * mib }),
    ]
    pin(scheduler, first, device)
    // Eight tenths of a device are for weights.
    const problem = { neededBytes: 400 * mib, availableBytes: 300 * mib }
    expect(pinProblem(scheduler.state, second, device)).toEqual(problem)
    expect(pinProblem(scheduler.state, second, null)).toEqual(problem)
    pin(scheduler, second, device)
    expect(scheduler.state.versions.get(second)!.pins).toEqual([])
    const [decision] = scheduler.state.decisions.read()
    expect(decision).toMatchObject({ kind: 'REJECT_PIN', versionId: second, amount: 400 * mib })
  })

  test('fits on another device, or once the other is unpinned', () => {
    const scheduler = new SchedulerUnderTest()
    const device = scheduler.device({ limitBytes: 1000 * mib })
    const [first, second] = [
      scheduler.version({ weightsBytes: 500 * mib }),
      scheduler.version({ weightsBytes: 400 * mib }),
    ]
    pin(scheduler, first, device)
    const other = scheduler.device({ limitBytes: 1000 * mib })
    expect(pinProblem(scheduler.state, second, other)).toBeNull()
    expect(pinProblem(scheduler.state, second, null)).toBeNull()
    pin(scheduler, first, device, false)
    expect(pinProblem(scheduler.state, second, device)).toBeNull()
  })

  test('is one of a model that no device could hold', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ limitBytes: 500 * mib })
    const version = scheduler.version({ weightsBytes: 450 * mib })
    expect(pinProblem(scheduler.state, version, null)).toEqual({ neededBytes: 450 * mib, availableBytes: 400 * mib })
  })
})
