import { expect, test } from 'vitest'
import { DeviceViews } from '../../../src/app/device-views.ts'
import type { KnownDevice } from '../../../src/app/known-devices.ts'
import { SchedulerUnderTest } from '../scheduler/scheduler-under-test.ts'

test('a device is suspect while a worker there does not answer, and lost when it is', () => {
  const scheduler = new SchedulerUnderTest()
  const id = scheduler.device({ name: 'cpu' })
  const version = scheduler.version()
  scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
  scheduler.serve()
  const facts = { name: 'cpu', vendor: null, totalBytes: 1, capabilities: {} }
  const views = new DeviceViews([{ id, facts } as unknown as KnownDevice], scheduler.state)
  const state = () => views.all()[0]!.state
  expect(state()).toBe('HEALTHY')
  const workerId = scheduler.workerOf(version)
  scheduler.feed({ type: 'workerSuspected', workerId })
  expect(state()).toBe('SUSPECT')
  scheduler.feed({ type: 'workerAnswered', workerId })
  expect(state()).toBe('HEALTHY')
  scheduler.feed({ type: 'deviceLost', deviceId: id })
  expect(state()).toBe('LOST')
})
