import { beforeEach, describe, expect, test } from 'vitest'
import type { VersionId } from '../../../../../src/scheduler/ids.ts'
import { noteForecast } from '../../../../../src/scheduler/placement/policies/outcomes.ts'
import { learnWork, newWorkModel, predictMs } from '../../../../../src/scheduler/placement/policies/work-model.ts'
import { restore } from '../../../../../src/scheduler/snapshot/restore.ts'
import { type Snapshot, snapshot } from '../../../../../src/scheduler/snapshot/snapshot.ts'
import { RoutingUnderTest } from './candidates.ts'

test('time is predicted from announced work, by a line through what was seen', () => {
  const model = newWorkModel()
  expect(predictMs(model, 10)).toBeNull()
  for (let index = 0; index < 200; index += 1) {
    const work = 1 + (index % 20)
    learnWork(model, work, 300 + 100 * work, 0.5)
  }
  expect(predictMs(model, 10)).toBeGreaterThan(1100)
  expect(predictMs(model, 10)).toBeLessThan(1500)
  expect(predictMs(model, 40)).toBeGreaterThan(3500)
})

test('work of which only one amount has been seen takes time in proportion', () => {
  const model = newWorkModel()
  learnWork(model, 10, 1000, 0.5)
  expect(predictMs(model, 20)).toBeCloseTo(2000)
})

test('predictions rise until the chosen share of jobs takes no longer', () => {
  const model = newWorkModel()
  let isLonger = 0
  for (let index = 0; index < 4000; index += 1) {
    const ms = 1000 * (1 + ((index * 7) % 10))
    if (index >= 2000 && ms > predictMs(model, 1)!) isLonger += 1
    learnWork(model, 1, ms, 0.8)
  }
  expect(isLonger / 2000).toBeGreaterThan(0.1)
  expect(isLonger / 2000).toBeLessThan(0.3)
})

describe('a job that was routed', () => {
  let routing: RoutingUnderTest
  let versionId: VersionId

  beforeEach(() => {
    routing = new RoutingUnderTest(2)
    versionId = routing.request.version.spec.versionId
    routing.scheduler.serve()
  })

  function run(execMs: number, end: 'finish' | 'fail' | 'pause' = 'finish'): void {
    const { scheduler } = routing
    const jobId = scheduler.submit(versionId, { work: 10 })
    scheduler.serve()
    noteForecast(scheduler.state.jobs.get(jobId)!, routing.choose('adaptive')!, scheduler.now)
    scheduler.start(jobId)
    if (end === 'pause') {
      const [task] = scheduler.state.jobs.get(jobId)!.tasks
      scheduler.pause(jobId)
      scheduler.say({ kind: 'paused', taskId: task!.taskId, stateBytes: 0 })
      scheduler.resume(jobId)
    }
    scheduler.now += execMs
    if (end === 'fail') scheduler.fail(jobId, 'invalid_request', false)
    else scheduler.finish(jobId)
  }

  test('teaches how long its work takes and how the device compares with what was said', () => {
    for (let index = 0; index < 30; index += 1) run(2000)
    const memory = routing.scheduler.state.routing
    expect(predictMs(memory.workModels.get(versionId), 10)).toBeGreaterThan(1500)
    expect(memory.trust.exec).toBeGreaterThan(1.4)
  })

  test('moves no prediction by more than half', () => {
    for (let index = 0; index < 100; index += 1) run(60_000)
    expect(routing.scheduler.state.routing.trust.exec).toBeLessThanOrEqual(1.5)
  })

  test('teaches nothing if it failed or was paused', () => {
    run(2000, 'fail')
    run(2000, 'pause')
    expect(routing.scheduler.state.routing.workModels.size).toBe(0)
  })

  test('is remembered in a snapshot', () => {
    for (let index = 0; index < 5; index += 1) run(2000)
    routing.choose('wrr')
    routing.choose('capacity')
    const { state } = routing.scheduler
    const written: Snapshot = JSON.parse(JSON.stringify(snapshot(state)))
    const copy = restore(written)
    expect(copy.routing).toEqual(state.routing)
  })
})

test('short jobs have devices of their own, unless a long one gains its whole length by going there', () => {
  const routing = new RoutingUnderTest(2)
  const memory = routing.scheduler.state.routing
  Object.assign(memory, { shortMsMax: 5000, shortMs: 1, longMs: 1 })
  expect(routing.place('complexity')).toBe(0)
  for (const index of [0, 1]) routing.set(index, { execMs: 20_000 })
  expect(routing.place('complexity')).toBe(1)
  routing.set(1, { execMs: 20_000, outstandingMs: 19_000 })
  expect(routing.place('complexity')).toBe(1)
  routing.set(1, { execMs: 20_000, outstandingMs: 21_000 })
  expect(routing.place('complexity')).toBe(0)
})
