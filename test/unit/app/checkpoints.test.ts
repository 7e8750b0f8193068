import { expect, test } from 'vitest'
import { Checkpoints } from '../../../src/app/checkpoints.ts'
import type { JobId, TaskId } from '../../../src/scheduler/ids.ts'
import type { CheckpointRecord } from '../../../src/store/records.ts'
import { StoreClosed } from '../../../src/store/store.ts'
import { until } from '../../support/until.ts'

const jobId = 1 as JobId
const taskId = 2 as TaskId
const checkpoint = (step: number, sizeBytes = 4): CheckpointRecord => ({
  taskId,
  jobId,
  step,
  saved: new Uint8Array(sizeBytes).fill(step),
  savedAt: 100,
})

function stage(bytesMax?: number) {
  const stored = new Map<TaskId, CheckpointRecord>()
  const lost: unknown[] = []
  let failure: Error | null = null
  const store = {
    saveCheckpoint: async (record: CheckpointRecord) => {
      if (failure) throw failure
      stored.set(record.taskId, record)
    },
    readCheckpoint: async (id: TaskId) => stored.get(id) ?? null,
  }
  const checkpoints = new Checkpoints(store, (error) => lost.push(error), bytesMax)
  return { checkpoints, stored, lost, fail: (error: Error) => (failure = error) }
}

test('the newest checkpoint of a task is at hand at once, and in the store', () => {
  const { checkpoints, stored } = stage()
  for (const step of [5, 10]) checkpoints.put(checkpoint(step))
  expect(checkpoints.get(taskId)).toEqual(new Uint8Array(4).fill(10))
  expect(checkpoints.stepOf(jobId, taskId)).toBe(10)
  expect(stored.get(taskId)?.step).toBe(10)
})

test('what memory does not hold is read from the store', async () => {
  const { checkpoints } = stage(8)
  checkpoints.put(checkpoint(5, 9))
  checkpoints.put({ ...checkpoint(1, 8), taskId: 3 as TaskId })
  expect(checkpoints.get(3 as TaskId)).toBeInstanceOf(Uint8Array)
  expect(await checkpoints.get(taskId)).toEqual(new Uint8Array(9).fill(5))
})

test('a larger checkpoint that memory does not take leaves no older one there', async () => {
  const { checkpoints } = stage(8)
  checkpoints.put(checkpoint(5, 4))
  checkpoints.put(checkpoint(10, 9))
  expect(await checkpoints.get(taskId)).toEqual(new Uint8Array(9).fill(10))
})

test('a task without a checkpoint has none, and no step behind it', async () => {
  const { checkpoints } = stage()
  expect(await checkpoints.get(taskId)).toBeNull()
  expect(checkpoints.stepOf(jobId, taskId)).toBe(0)
})

test('one that was asked for is awaited until it comes', () => {
  const { checkpoints } = stage()
  checkpoints.awaited.add(taskId)
  checkpoints.put({ ...checkpoint(5), taskId: 3 as TaskId })
  expect([...checkpoints.awaited]).toEqual([taskId])
  checkpoints.put(checkpoint(5))
  expect([...checkpoints.awaited]).toEqual([])
})

test('of a job that has ended nothing is kept here', () => {
  const { checkpoints } = stage()
  checkpoints.put(checkpoint(5))
  checkpoints.forget(jobId)
  expect(checkpoints.stepOf(jobId, taskId)).toBe(0)
  expect(checkpoints.get(taskId)).toBeInstanceOf(Promise)
})

test('a checkpoint that the end of the server overtakes is no fault; any other that is lost is', async () => {
  const { checkpoints, lost, fail } = stage()
  fail(new StoreClosed())
  checkpoints.put(checkpoint(5))
  fail(new Error('The disk is gone.'))
  checkpoints.put(checkpoint(10))
  await until('the loss is told', () => lost.length > 0)
  expect(lost).toEqual([new Error('The disk is gone.')])
})
