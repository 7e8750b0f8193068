import { expect, test } from 'vitest'
import type { JobId, TaskId } from '../../../src/scheduler/ids.ts'
import type { CheckpointRecord } from '../../../src/store/records.ts'
import { type CheckpointLimits, WaitingCheckpoints } from '../../../src/store/writer/waiting-checkpoints.ts'

const tick = () => new Promise((resolve) => setImmediate(resolve))

/** Lots that a test commits one by one. */
function waiting(limits: CheckpointLimits = { waitingBytesMax: 1000, lotBytesMax: 100 }) {
  const lots: { readonly steps: string[]; readonly commit: () => void; readonly fail: (error: Error) => void }[] = []
  const checkpoints = new WaitingCheckpoints((lot) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    lots.push({ steps: lot.map(({ taskId, step }) => `${taskId}:${step}`), commit: resolve, fail: reject })
    return promise
  }, limits)
  return { checkpoints, lots, steps: () => lots.map((lot) => lot.steps) }
}

function checkpoint(task: number, step: number, sizeBytes = 10): CheckpointRecord {
  return {
    taskId: task as TaskId,
    jobId: (task * 100) as JobId,
    step,
    saved: new Uint8Array(sizeBytes).fill(step),
    savedAt: 1,
  }
}

test('of each task the newest of a tick is written, with those of other tasks', async () => {
  const { checkpoints, lots, steps } = waiting()
  const older = checkpoints.save(checkpoint(1, 5))
  const other = checkpoints.save(checkpoint(2, 5))
  const newer = checkpoints.save(checkpoint(1, 10))
  await tick()
  expect(steps()).toEqual([['1:10', '2:5']])
  lots[0]?.commit()
  await Promise.all([older, other, newer])
})

test('one lot is under way at a time, of so many bytes; a larger checkpoint goes alone', async () => {
  const { checkpoints, lots, steps } = waiting()
  for (let task = 1; task <= 3; task++) void checkpoints.save(checkpoint(task, 1, 50))
  void checkpoints.save(checkpoint(4, 1, 500))
  await tick()
  await tick()
  expect(steps()).toEqual([['1:1', '2:1']])
  for (let lot = 0; lot < 3; lot++) {
    lots[lot]?.commit()
    await tick()
    await tick()
  }
  expect(steps()).toEqual([['1:1', '2:1'], ['3:1'], ['4:1']])
})

test('those of a job are written at once where somebody relies on them, whatever is under way', async () => {
  const { checkpoints, lots, steps } = waiting()
  void checkpoints.save(checkpoint(1, 5))
  await tick()
  const saved = checkpoints.save(checkpoint(1, 10))
  void checkpoints.save(checkpoint(2, 5))
  checkpoints.writeNow(100 as JobId)
  expect(steps()).toEqual([['1:5'], ['1:10']])
  expect(checkpoints.newest(1 as TaskId)?.step).toBe(10)
  lots[0]?.commit()
  await tick()
  lots[1]?.commit()
  await saved
  await tick()
  expect(steps()).toEqual([['1:5'], ['1:10'], ['2:5']])
})

test('while its checkpoint is being written, only the newest of a task waits', async () => {
  const { checkpoints, lots, steps } = waiting()
  void checkpoints.save(checkpoint(1, 5))
  await tick()
  for (const step of [10, 15, 20]) void checkpoints.save(checkpoint(1, step))
  expect(checkpoints.newest(1 as TaskId)?.step).toBe(20)
  lots[0]?.commit()
  await tick()
  await tick()
  expect(steps()).toEqual([['1:5'], ['1:20']])
})

test('what is not in the database yet is known, and nothing else', async () => {
  const { checkpoints, lots } = waiting()
  const written = checkpoints.save(checkpoint(1, 5))
  expect(checkpoints.newest(1 as TaskId)).toMatchObject({ step: 5 })
  await tick()
  expect(checkpoints.newest(1 as TaskId)).toMatchObject({ step: 5 })
  lots[0]?.commit()
  await written
  await tick()
  expect(checkpoints.newest(1 as TaskId)).toBeNull()
})

test('too many bytes: those that wait longest are given up, never the newest', async () => {
  const { checkpoints, steps } = waiting({ waitingBytesMax: 100, lotBytesMax: 1000 })
  const first = checkpoints.save(checkpoint(1, 1, 60))
  void checkpoints.save(checkpoint(2, 1, 60))
  await first
  void checkpoints.save(checkpoint(3, 1, 500))
  await tick()
  expect(steps()).toEqual([['3:1']])
})

test('those of a job that ends are given up', async () => {
  const { checkpoints, steps } = waiting()
  const ended = checkpoints.save(checkpoint(1, 1))
  void checkpoints.save(checkpoint(2, 1))
  checkpoints.forget(100 as JobId)
  await ended
  await tick()
  expect(steps()).toEqual([['2:1']])
})

test('the bytes are its own: whoever gave them may use his memory again', async () => {
  const { checkpoints } = waiting()
  const given = checkpoint(1, 7)
  void checkpoints.save(given)
  given.saved.fill(0)
  expect(checkpoints.newest(1 as TaskId)?.saved).toEqual(new Uint8Array(10).fill(7))
})

test('the last of all goes at once, however much it is, though a lot is under way', async () => {
  const { checkpoints, steps } = waiting()
  void checkpoints.save(checkpoint(1, 1))
  await tick()
  for (let task = 2; task <= 5; task++) void checkpoints.save(checkpoint(task, 1, 90))
  checkpoints.writeAll()
  expect(steps()).toEqual([['1:1'], ['2:1', '3:1', '4:1', '5:1']])
})

test('a lot that cannot be written is told to those who wait for it, and the next one is tried', async () => {
  const { checkpoints, lots, steps } = waiting()
  const lost = checkpoints.save(checkpoint(1, 1))
  await tick()
  void checkpoints.save(checkpoint(2, 1))
  lots[0]?.fail(new Error('the disk is gone'))
  await expect(lost).rejects.toThrow('the disk is gone')
  await tick()
  await tick()
  expect(steps()).toEqual([['1:1'], ['2:1']])
})
