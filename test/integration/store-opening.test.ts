import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { DeviceId } from '../../src/scheduler/ids.ts'
import { openStore } from '../../src/store/open-store.ts'
import { DatabaseTooNewError, FolderLockedError } from '../../src/store/opening/errors.ts'
import { dataFolder } from '../support/data-folder.ts'
import { testStore } from '../support/stores.ts'

const deviceId = 1 as DeviceId

test('unfinished jobs are there at the next opening, oldest first, with their tasks', async () => {
  const { log, jobs, submit, reopen } = await testStore()
  const [queued, running, ended] = jobs.many(3)
  if (!queued || !running || !ended) throw new Error('There are three jobs.')
  await submit(queued, running, ended)
  await log.changeState(running.record, { kind: 'started', deviceId }, 'RUNNING', { attempt: 1, deviceId })
  await log.changeState(ended.record, { kind: 'succeeded' }, 'SUCCEEDED', {})
  const { store } = await reopen()
  expect(store.opening.unfinished).toEqual([
    { record: queued.record, tasks: queued.tasks, checkpoints: [] },
    { record: running.record, tasks: running.tasks, checkpoints: [] },
  ])
})

test('numbers are never given twice, not even those of deleted rows or of a process that used none', async () => {
  const first = await testStore()
  await first.submit(...first.jobs.many(3))
  const shown = first.store.nextSequence()
  const opening = first.store.opening
  await first.store.close()
  const database = new Database(join(first.folder, 'hearth.sqlite'))
  database.pragma('foreign_keys = ON')
  database.exec('DELETE FROM jobs')
  database.close()
  const second = await testStore({ folder: first.folder })
  expect(second.store.opening.nextJobId).toBe(opening.nextJobId + 3)
  expect(second.store.opening.nextTaskId).toBe(opening.nextTaskId + 3)
  expect(second.store.opening.firstRuntimeId).toBeGreaterThanOrEqual(opening.firstRuntimeId + 100_000)
  expect(second.store.lastSequence()).toBeGreaterThanOrEqual(shown)
  expect(second.store.nextSequence()).toBeGreaterThan(shown)
})

test('the blocks of event numbers never run out, and each is reserved before it is needed', async () => {
  const { store, jobs, submit } = await testStore()
  const before = store.nextSequence()
  for (let taken = 0; taken < 250_000; taken++) store.nextSequence()
  expect(store.isReserved(store.lastSequence())).toBe(false)
  await submit(jobs.next())
  expect(store.isReserved(store.lastSequence())).toBe(true)
  expect(store.lastSequence()).toBe(before + 250_001)
})

test('the last snapshot is what the next opening finds', async () => {
  const { store, reopen } = await testStore()
  expect(store.opening.snapshot).toBeNull()
  await Promise.all([store.saveSnapshot('{"first":1}'), store.saveSnapshot('{"second":2}')])
  expect((await reopen()).store.opening.snapshot).toBe('{"second":2}')
})

test('a second opener learns who holds the folder, and the first goes on', async () => {
  const { folder, store, jobs, submit } = await testStore()
  const second = () => openStore({ folder })
  await expect(second()).rejects.toThrow(FolderLockedError)
  await expect(second()).rejects.toThrow(new RegExp(`process ${process.pid} on .+, started \\d{4}-`))
  store.announce('http://127.0.0.1:4000/graphql')
  await expect(second()).rejects.toThrow('at http://127.0.0.1:4000/graphql')
  await submit(jobs.next())
  await store.close()
  const third = await second()
  await third.close()
})

test('a database newer than the program is refused, and its folder is free again', async () => {
  const { folder, store } = await testStore()
  await store.close()
  const database = new Database(join(folder, 'hearth.sqlite'))
  database.exec("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('of the future', 9999999999999)")
  database.close()
  await expect(openStore({ folder })).rejects.toThrow(DatabaseTooNewError)
  const repaired = new Database(join(folder, 'hearth.sqlite'))
  repaired.exec("DELETE FROM __drizzle_migrations WHERE hash = 'of the future'")
  repaired.close()
  await (await openStore({ folder })).close()
})

test('a folder that cannot be one is refused with the reason', async () => {
  await expect(openStore({ folder: '/dev/null/data' })).rejects.toThrow(/could not be opened.*ENOTDIR/s)
})

test('closing empties the log into the database, and what is asked afterwards is refused', async () => {
  const folder = await dataFolder()
  const { store, jobs, submit } = await testStore({ folder })
  await submit(...jobs.many(50))
  const last = store.submitJobs([jobs.next()])
  await store.close()
  await expect(last).resolves.toMatchObject({ kind: 'accepted' })
  await expect(store.submitJobs([jobs.next()])).rejects.toThrow('The store is closed.')
  await expect(store.countJobs({})).rejects.toThrow('The store is closed.')
  await expect(stat(join(folder, 'hearth.sqlite-wal'))).rejects.toThrow('ENOENT')
  await expect(stat(join(folder, 'holder.json'))).rejects.toThrow('ENOENT')
})

test('what an idle store has written ahead goes into the database by itself', async () => {
  const { store, jobs, submit } = await testStore()
  const before = store.metrics.databaseBytes
  await submit(...jobs.many(500))
  await expect.poll(() => store.metrics.databaseBytes, { timeout: 5000 }).toBeGreaterThan(before)
})

test('progress that comes after closing is dropped, a state change is not', async () => {
  const { store, log, jobs, submit } = await testStore()
  const { record, ...rest } = jobs.next()
  await submit({ record, ...rest })
  await store.close()
  log.text(record, 0, 'too late')
  // An error that nobody caught would fail the run.
  await new Promise((resolve) => setImmediate(resolve))
  const change = log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})
  await expect(change).rejects.toThrow('The store is closed.')
})
