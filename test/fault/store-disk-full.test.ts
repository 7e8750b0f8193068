import { expect, test } from 'vitest'
import type { DeviceId, SessionId } from '../../src/scheduler/ids.ts'
import { openStore } from '../../src/store/open-store.ts'
import { StoreOverloaded } from '../../src/store/store.ts'
import { dataFolder } from '../support/data-folder.ts'
import { storedJobs } from '../support/stored-jobs.ts'
import { testStore } from '../support/stores.ts'

const deviceId = 1 as DeviceId

test('a full disk stops submissions with a typed error, loses nothing that was accepted, and ends when there is room', async () => {
  const { store, log, jobs, submit } = await testStore()
  const running = jobs.next()
  await submit(running)
  const cursor = log.committedSequence()

  store.limitDatabase(store.metrics.databaseBytes)
  const accepted = Array.from({ length: 20 }, () =>
    store.submitJobs(jobs.many(20, { request: JSON.stringify('x'.repeat(2000)) })),
  )
  await expect.poll(() => store.metrics.accepting, { timeout: 10_000 }).toBe(false)
  expect(store.metrics.trouble).toMatch(/full/)
  await expect(store.submitJobs([jobs.next()])).rejects.toThrow(StoreOverloaded)
  await expect(store.submitJobs([jobs.next()])).rejects.toMatchObject({
    limit: 'storage',
    retryAfterMs: expect.any(Number),
  })
  await expect(store.recordCancelRequest(running.record.id, 1)).rejects.toMatchObject({ limit: 'storage' })
  await expect(store.updateSession(1 as SessionId, { lastUsedAt: 5 })).rejects.toMatchObject({ limit: 'storage' })
  await expect(store.saveSnapshot('{}')).rejects.toMatchObject({ limit: 'storage' })

  // What was acknowledged goes on, unseen until it is safe.
  const change = log.changeState(running.record, { kind: 'started', deviceId }, 'RUNNING', { attempt: 1 })
  expect(await store.readJob(running.record.id)).toMatchObject({ state: 'QUEUED' })
  expect(running.record.state).toBe('QUEUED')
  expect(log.committedSequence()).toBe(cursor)

  store.limitDatabase(null)
  const outcomes = await Promise.all(accepted)
  await change
  expect(outcomes.every(({ kind }) => kind === 'accepted')).toBe(true)
  expect(store.metrics).toMatchObject({ accepting: true, trouble: null, queuedOperations: 0 })
  expect(running.record.state).toBe('RUNNING')
  expect(await store.countJobs({})).toBe(401)
  await submit(jobs.next())
})

test('closing while the disk is full says what could not be written', async () => {
  const store = await openStore({ folder: await dataFolder() })
  const jobs = await storedJobs(store)
  store.limitDatabase(store.metrics.databaseBytes)
  const lost = store.submitJobs(jobs.many(500))
  const isLost = expect(lost).rejects.toThrow()
  await expect.poll(() => store.metrics.accepting, { timeout: 10_000 }).toBe(false)
  await expect(store.close()).rejects.toThrow(/500 rows that could not be committed: .*full/)
  await isLost
})

test('checkpoints that come while the disk is full are there when it has room again', async () => {
  const { store, jobs, submit } = await testStore()
  const many = jobs.many(50)
  await submit(...many)
  store.limitDatabase(store.metrics.databaseBytes)
  const taskIds = many.flatMap(({ tasks }) => tasks.map(({ id }) => id))
  const written = many.flatMap(({ record, tasks }) =>
    tasks.flatMap(({ id: taskId }) =>
      [5, 10].map((step) =>
        store.saveCheckpoint({ taskId, jobId: record.id, step, saved: Buffer.alloc(100_000, step), savedAt: 1 }),
      ),
    ),
  )
  await expect.poll(() => store.metrics.accepting, { timeout: 10_000 }).toBe(false)
  store.limitDatabase(null)
  await Promise.all(written)
  const saved = await Promise.all(taskIds.map((id) => store.readCheckpoint(id)))
  expect(saved.map((checkpoint) => checkpoint?.step)).toEqual(taskIds.map(() => 10))
  await submit(jobs.next())
})
