import { expect, test } from 'vitest'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

test('devices of the share that is set take interactive work only', () => {
  const scheduler = new SchedulerUnderTest({ interactiveDeviceShare: 0.5 })
  const [reserved, other] = [scheduler.device(), scheduler.device()]
  const versions = [1, 2, 3, 4].map(() => scheduler.version())
  for (const version of versions) scheduler.submit(version, { class: 'batch' })
  scheduler.serve()
  expect(
    new Set([...scheduler.state.residencies.values()].map(({ worker }) => worker.slot.device.spec.deviceId)),
  ).toEqual(new Set([other]))
  scheduler.submit(scheduler.version())
  scheduler.serve()
  expect([...scheduler.state.devices.get(reserved)!.residencies]).toHaveLength(1)
})

test('one device is never reserved: batch work would wait for ever', () => {
  const scheduler = new SchedulerUnderTest({ interactiveDeviceShare: 1 })
  scheduler.device()
  const batch = scheduler.submit(scheduler.version(), { class: 'batch' })
  scheduler.serve()
  scheduler.start(batch)
  expect(scheduler.stateOf(batch)).toBe('running')
})

test('a model that batch work has waited for long is loaded as if interactive work waited for it', () => {
  const scheduler = new SchedulerUnderTest({ batchAgeingMs: 10_000 })
  scheduler.device()
  const [loading, aged] = [scheduler.version(), scheduler.version()]
  scheduler.submit(loading)
  scheduler.submit(aged, { class: 'batch' })
  const rank = () => scheduler.state.versions.get(aged)!.urgency?.rank
  const before = rank()
  scheduler.pass(10_000)
  expect(rank()).toBeLessThan(Number(before))
})
