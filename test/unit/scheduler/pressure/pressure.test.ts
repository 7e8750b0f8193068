/** A device that is short of memory: what goes, what pauses, what is kept away from it, and how all of it comes back. */
import { expect, test } from 'vitest'
import type { DeviceId } from '../../../../src/scheduler/ids.ts'
import { usedShareOf } from '../../../../src/scheduler/pressure/pressure.ts'
import { defaultSettings } from '../../../../src/scheduler/settings.ts'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

const { calmMs } = defaultSettings.pressure
const small = { weightsBytes: 100 * mib, workingBytes: 0 }

class PressedDevice extends SchedulerUnderTest {
  readonly id: DeviceId

  constructor() {
    super()
    this.id = this.device({ limitBytes: 1000 * mib })
  }

  /** Others take so much of it, and so much stands still for want of memory. */
  measure(externalBytes: number, stallShare = 0): void {
    this.feed({ type: 'deviceMeasured', deviceId: this.id, externalBytes, stallShare })
  }

  get level(): string {
    return this.state.devices.get(this.id)!.pressure.level
  }
}

test('a device that is full of idle models is healthy', () => {
  const scheduler = new PressedDevice()
  for (let count = 0; count < 7; count += 1) {
    const job = scheduler.submit(scheduler.version(small))
    scheduler.serve()
    scheduler.finish(job)
  }
  expect(scheduler.state.residencies.size).toBe(7)
  expect(usedShareOf(scheduler.state.devices.get(scheduler.id)!)).toBeLessThan(0.1)
  expect(scheduler.level).toBe('normal')
})

test('what others take is made up for by idle models, and no more goes than that', () => {
  const scheduler = new PressedDevice()
  const versions = [0, 1, 2, 3].map(() => scheduler.version(small))
  for (const version of versions) {
    const job = scheduler.submit(version)
    scheduler.serve()
    scheduler.finish(job)
    scheduler.pass(1000)
  }
  scheduler.measure(700 * mib)
  const evicted = [...scheduler.state.decisions.read()].filter(({ reason }) => reason === 'memory_pressure')
  expect(evicted.map(({ kind }) => kind)).toEqual(['EVICT', 'EVICT'])
  scheduler.serve()
  expect(scheduler.state.residencies.size).toBe(2)
  expect(scheduler.level).toBe('normal')
})

test('on a tight device nothing is loaded but for interactive work', () => {
  const scheduler = new PressedDevice()
  scheduler.measure(0, 0.2)
  expect(scheduler.level).toBe('tight')
  const batch = scheduler.submit(scheduler.version(small), { class: 'batch' })
  scheduler.serve()
  expect(scheduler.all('load')).toHaveLength(0)
  expect(scheduler.wait(batch).code).toBe('MEMORY')
  expect(scheduler.wait(batch).reason).toContain('short of memory')
  scheduler.submit(scheduler.version(small))
  scheduler.serve()
  expect(scheduler.all('load')).toHaveLength(1)
})

test('on a critical device batch work pauses at its next step, and nothing is loaded', () => {
  const scheduler = new PressedDevice()
  const version = scheduler.version(small)
  const [urgent, batch] = [scheduler.submit(version), scheduler.submit(version, { class: 'batch' })]
  scheduler.serve()
  scheduler.start(urgent, batch)
  scheduler.measure(0, 0.9)
  expect(scheduler.level).toBe('critical')
  const [task] = scheduler.state.jobs.get(batch)!.tasks
  scheduler.say({ kind: 'paused', taskId: task!.taskId, stateBytes: mib })
  expect(scheduler.all('jobPaused')).toMatchObject([{ jobId: batch, cause: 'memory_pressure' }])
  expect(scheduler.stateOf(urgent)).toBe('running')
  scheduler.submit(scheduler.version(small))
  scheduler.serve()
  expect(scheduler.all('load')).toHaveLength(1)
})

test('what was paused goes on by itself when the pressure has been gone for a while', () => {
  const scheduler = new PressedDevice()
  const batch = runningBatch(scheduler)
  scheduler.measure(0, 0.9)
  const [task] = scheduler.state.jobs.get(batch)!.tasks
  scheduler.say({ kind: 'paused', taskId: task!.taskId, stateBytes: mib })
  scheduler.measure(0, 0)
  expect(scheduler.stateOf(batch)).toBe('paused')
  scheduler.pass(calmMs)
  expect(scheduler.level).toBe('normal')
  expect(scheduler.stateOf(batch)).toBe('running')
  expect(scheduler.all('jobResumed')).toHaveLength(1)
})

test('what was paused for a device goes on elsewhere when that device is lost, which is judged anew on its return', () => {
  const scheduler = new PressedDevice()
  const batch = runningBatch(scheduler)
  scheduler.measure(0, 0.9)
  const [task] = scheduler.state.jobs.get(batch)!.tasks
  scheduler.say({ kind: 'paused', taskId: task!.taskId, stateBytes: mib })
  scheduler.device()
  scheduler.feed({ type: 'deviceLost', deviceId: scheduler.id })
  for (const { workerId } of scheduler.all('killWorker')) scheduler.kill(workerId, 'requested')
  expect(scheduler.level).toBe('normal')
  scheduler.serve()
  expect(scheduler.admissions().filter(({ jobId }) => jobId === batch)).toHaveLength(2)
  scheduler.measure(0, 0.9)
  expect(scheduler.level).toBe('normal')
  scheduler.feed({ type: 'deviceReturned', deviceId: scheduler.id })
  expect(scheduler.level).toBe('critical')
})

test('what a user has asked to pause meanwhile stays paused', () => {
  const scheduler = new PressedDevice()
  const batch = runningBatch(scheduler)
  scheduler.measure(0, 0.9)
  const [task] = scheduler.state.jobs.get(batch)!.tasks
  scheduler.say({ kind: 'paused', taskId: task!.taskId, stateBytes: mib })
  scheduler.pause(batch)
  scheduler.measure(0, 0)
  scheduler.pass(calmMs)
  expect(scheduler.stateOf(batch)).toBe('paused')
  scheduler.resume(batch)
  expect(scheduler.stateOf(batch)).toBe('running')
})

test('saved states of paused jobs leave a tight device', () => {
  const scheduler = new PressedDevice()
  const batch = runningBatch(scheduler)
  const [task] = scheduler.state.jobs.get(batch)!.tasks
  scheduler.pause(batch)
  scheduler.save(task!.taskId, 3)
  scheduler.say({ kind: 'paused', taskId: task!.taskId, stateBytes: 50 * mib })
  scheduler.measure(0, 0.2)
  expect(scheduler.all('cancelTasks')).toMatchObject([{ taskIds: [task!.taskId] }])
  scheduler.say({ kind: 'cancelled', taskId: task!.taskId })
  expect(scheduler.stateOf(batch)).toBe('paused')
  expect([...scheduler.state.allocations.values()].filter(({ purpose }) => purpose === 'paused_state')).toEqual([])
})

function runningBatch(scheduler: SchedulerUnderTest) {
  const version = scheduler.version(small)
  const [batch, urgent] = [scheduler.submit(version, { class: 'batch' }), scheduler.submit(version)]
  scheduler.serve()
  // While it runs, its model stays.
  scheduler.start(batch, urgent)
  return batch
}
