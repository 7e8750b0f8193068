/** What may be said of a task, and when. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { StepEntry } from '../../../../src/runtime/workers/step-entries.ts'
import { WorkerTasks } from '../../../../src/runtime/workers/worker-tasks.ts'
import type { TaskId } from '../../../../src/scheduler/ids.ts'
import { noop } from '../../../support/real-pool.ts'

const taskId = 5 as TaskId
const started: StepEntry = { kind: 'started', taskId }
const step: StepEntry = { kind: 'step', taskId, done: 1, total: null, unit: 'steps' }
const text: StepEntry = { kind: 'text', taskId, item: 0, text: 'a' }
const preview: StepEntry = { kind: 'preview', taskId, step: 1, mimeType: 'image/png', picture: new Uint8Array(1) }
const done: StepEntry = { kind: 'done', taskId, output: {}, stepsRun: 1, heldBytes: 0 }
const failed: StepEntry = { kind: 'failed', taskId, code: 'deadline_exceeded', message: 'm', retryable: false }
const cancelled: StepEntry = { kind: 'cancelled', taskId, output: null, stepsRun: 0 }
const withdrawn: StepEntry = { kind: 'withdrawn', taskId }
const paused: StepEntry = { kind: 'paused', taskId, stateBytes: 0 }
let tasks: WorkerTasks

beforeEach(() => {
  tasks = new WorkerTasks()
  tasks.add(noop(taskId))
})

describe('a paused task', () => {
  beforeEach(() => {
    tasks.pause(taskId)
    tasks.settle(paused)
  })

  test.each([started, step, text, preview, done])('brings no `$kind`', (entry) => {
    expect(() => tasks.settle(entry)).toThrow(`\`${entry.kind}\` came for task 5, which is paused.`)
  })

  test.each([failed, cancelled, withdrawn])('may end as `$kind`', (entry) => {
    tasks.settle(entry)
    expect(tasks.count).toBe(0)
  })

  test('brings everything again when it was to go on', () => {
    tasks.resume(taskId)
    for (const entry of [started, step, text, preview, done]) tasks.settle(entry)
    expect(tasks.count).toBe(0)
  })

  test('is paused as often as it was asked to be, and no more', () => {
    expect(() => tasks.settle(paused)).toThrow('`paused` came for task 5, which was not asked to pause.')
    tasks.pause(taskId)
    tasks.settle(paused)
    expect(tasks.someMayStep).toBe(false)
  })
})

test('a task that was not asked to pause does not', () => {
  expect(() => tasks.settle(paused)).toThrow('`paused` came for task 5, which was not asked to pause.')
})

test('until a worker says so, a task that was to pause goes on', () => {
  tasks.pause(taskId)
  for (const entry of [started, step, done]) tasks.settle(entry)
})

test('`paused` and a resumption may cross', () => {
  tasks.pause(taskId)
  tasks.resume(taskId)
  tasks.settle(paused)
  expect(tasks.someMayStep).toBe(true)
  tasks.settle(step)
})

test('`paused` in answer to an earlier request does not make the later one true yet', () => {
  tasks.pause(taskId)
  tasks.resume(taskId)
  tasks.pause(taskId)
  tasks.settle(paused)
  tasks.settle(step)
  tasks.settle(paused)
  expect(() => tasks.settle(step)).toThrow('which is paused')
})

test('asking for a pause of a task that has ended is of no consequence', () => {
  tasks.settle(done)
  tasks.pause(taskId)
  tasks.resume(taskId)
  expect(() => tasks.settle(paused)).toThrow('which this worker does not have')
  expect(tasks.someMayStep).toBe(false)
})

test('only a task that is to hold its output does', () => {
  expect(() => tasks.settle({ ...done, heldBytes: 1 })).toThrow(
    'with 1 held bytes for task 5, which was to hold nothing',
  )
  tasks.add(noop(6, {}, { isHeld: true }))
  tasks.settle({ ...done, taskId: 6 as TaskId, heldBytes: 4096 })
  expect(tasks.endedCount).toBe(1)
})

test('some may step unless all are paused', () => {
  tasks.add(noop(6))
  for (const id of [5, 6] as TaskId[]) {
    expect(tasks.someMayStep).toBe(true)
    tasks.pause(id)
    tasks.settle({ ...paused, taskId: id })
  }
  expect(tasks.someMayStep).toBe(false)
})

describe('how long a step of its tasks may compute', () => {
  const other = 6 as TaskId
  beforeEach(() => {
    tasks = new WorkerTasks()
    tasks.add(noop(taskId, {}, { stepMsMax: 400 }))
    tasks.add(noop(other, {}, { stepMsMax: 80 }))
  })

  test('is as long as all of them together, for they may share it', () => {
    expect(tasks.stepMsMax).toBe(480)
  })

  test('is not known if it is not of one of them', () => {
    tasks.add(noop(7, {}, { stepMsMax: null }))
    expect(tasks.stepMsMax).toBeNull()
  })

  test('has nothing to do with those that are paused or have ended', () => {
    tasks.pause(taskId)
    tasks.settle(paused)
    expect(tasks.stepMsMax).toBe(80)
    tasks.settle({ ...done, taskId: other })
    expect(tasks.stepMsMax).toBe(0)
  })
})
