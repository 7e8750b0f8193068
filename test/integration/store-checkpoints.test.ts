/** What the store keeps of tasks that were saved, and of jobs that are to pause. */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { DeviceId } from '../../src/scheduler/ids.ts'
import type { CheckpointRecord, NewJob, TaskRecord } from '../../src/store/records.ts'
import { type TestStore, testStore } from '../support/stores.ts'

const deviceId = 1 as DeviceId

function taskOf({ tasks: [task] }: NewJob): TaskRecord {
  if (!task) throw new Error('The job has a task.')
  return task
}

function checkpoint(job: NewJob, step: number, sizeBytes = 100): CheckpointRecord {
  const { id: taskId, jobId } = taskOf(job)
  return { taskId, jobId, step, saved: new Uint8Array(sizeBytes).fill(step), savedAt: 1000 + step }
}

async function finish({ log }: TestStore, { record }: NewJob, finishedAt = 5000): Promise<void> {
  await log.changeState(record, { kind: 'started', deviceId }, 'RUNNING', { attempt: 1 })
  await log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', { finishedAt })
}

/** Of a store that is closed. */
function storedCheckpoints(folder: string): unknown {
  const database = new Database(join(folder, 'hearth.sqlite'), { readonly: true })
  const count = database.prepare('SELECT count(*) FROM checkpoints').pluck().get()
  database.close()
  return count
}

test('the newest checkpoint of a task is what the next opening names and gives back', async () => {
  const { store, jobs, submit, reopen } = await testStore()
  const [saved, unsaved] = jobs.many(2) as [NewJob, NewJob]
  await submit(saved, unsaved)
  for (const step of [5, 10, 15]) await store.saveCheckpoint(checkpoint(saved, step))
  const reopened = await reopen()
  const { id: taskId } = taskOf(saved)
  expect(reopened.store.opening.unfinished.map(({ checkpoints }) => checkpoints)).toEqual([[{ taskId, step: 15 }], []])
  expect(await reopened.store.readCheckpoint(taskId)).toEqual(checkpoint(saved, 15))
  expect(await reopened.store.readCheckpoint(taskOf(unsaved).id)).toBeNull()
})

test('each task of a job has its own', async () => {
  const { store, jobs, submit, reopen } = await testStore()
  const job = jobs.next()
  const second = { ...taskOf(job), id: (taskOf(job).id + 1) as TaskRecord['id'], item: 1, isHeld: true }
  await submit({ ...job, tasks: [taskOf(job), second] })
  void store.saveCheckpoint(checkpoint(job, 5))
  await store.saveCheckpoint({ ...checkpoint(job, 7), taskId: second.id })
  const { opening } = (await reopen()).store
  expect(opening.unfinished).toMatchObject([
    {
      tasks: [{ item: 0, isHeld: false }, second],
      checkpoints: [
        { taskId: taskOf(job).id, step: 5 },
        { taskId: second.id, step: 7 },
      ],
    },
  ])
})

test('a checkpoint is found from the moment it is given', async () => {
  const { store, jobs, submit } = await testStore()
  const job = jobs.next()
  await submit(job)
  const written = store.saveCheckpoint(checkpoint(job, 5))
  expect(await store.readCheckpoint(taskOf(job).id)).toMatchObject({ step: 5 })
  await written
  expect(await store.readCheckpoint(taskOf(job).id)).toMatchObject({ step: 5 })
})

test('the commit that ends a job takes its checkpoints along, also those on their way; later ones are dropped', async () => {
  const open = await testStore()
  const { store, jobs, submit } = open
  const [ending, other] = jobs.many(2) as [NewJob, NewJob]
  await submit(ending, other)
  await store.saveCheckpoint(checkpoint(ending, 5))
  await store.saveCheckpoint(checkpoint(other, 5))
  const onTheirWay = [store.saveCheckpoint(checkpoint(ending, 10))]
  await new Promise((resolve) => setImmediate(resolve))
  onTheirWay.push(store.saveCheckpoint(checkpoint(ending, 15)))
  await finish(open, ending)
  await Promise.all(onTheirWay)
  expect(await store.readCheckpoint(taskOf(ending).id)).toBeNull()
  await store.saveCheckpoint(checkpoint(ending, 20))
  expect(await store.readCheckpoint(taskOf(ending).id)).toBeNull()
  expect(await store.readCheckpoint(taskOf(other).id)).toMatchObject({ step: 5 })
})

test('closing writes the checkpoints that wait', async () => {
  const { store, folder, jobs, submit } = await testStore()
  const many = jobs.many(20)
  await submit(...many)
  const written = many.map((job) => store.saveCheckpoint(checkpoint(job, 1, 500_000)))
  await store.close()
  await Promise.all(written)
  expect(storedCheckpoints(folder)).toBe(20)
})

test('a state change does not wait for the checkpoints that were there before it', async () => {
  const { store, log, jobs, submit } = await testStore()
  const many = jobs.many(30)
  await submit(...many)
  let written = 0
  const all = Promise.all(
    many.map(async (job) => {
      await store.saveCheckpoint(checkpoint(job, 1, 1_000_000))
      written++
    }),
  )
  await new Promise((resolve) => setImmediate(resolve))
  const record = many[0]?.record
  if (record) await log.changeState(record, { kind: 'started', deviceId }, 'RUNNING', { attempt: 1 })
  // At most the lot that was under way, and the one that came along.
  expect(written).toBeLessThanOrEqual(2)
  await all
})

test('checkpoints go with their job', async () => {
  const { folder, store, jobs, submit } = await testStore()
  const job = jobs.next()
  await submit(job)
  await store.saveCheckpoint(checkpoint(job, 5))
  await store.close()
  const database = new Database(join(folder, 'hearth.sqlite'))
  database.pragma('foreign_keys = ON')
  database.exec('DELETE FROM jobs')
  database.close()
  expect(storedCheckpoints(folder)).toBe(0)
})

test('a wish to pause, or to go on, is durable before it is answered', async () => {
  const first = await testStore()
  const job = first.jobs.next()
  await first.submit(job)
  await first.store.recordPauseRequest(job.record.id, 7)
  expect(await first.store.readJob(job.record.id)).toMatchObject({ state: 'QUEUED', pauseRequestedAt: 7 })
  const second = await first.reopen()
  expect(second.store.opening.unfinished).toMatchObject([{ record: { pauseRequestedAt: 7 } }])
  await second.store.recordPauseRequest(job.record.id, null)
  const third = await second.reopen()
  expect(third.store.opening.unfinished).toMatchObject([{ record: { pauseRequestedAt: null } }])
})
