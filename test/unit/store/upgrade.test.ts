import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { DecisionRing } from '../../../src/scheduler/explain/decision-ring.ts'
import type { DeviceId, JobId, TaskId } from '../../../src/scheduler/ids.ts'
import type { ArtifactId } from '../../../src/store/records.ts'
import { dataFolder } from '../../support/data-folder.ts'
import { take, testStore } from '../../support/stores.ts'

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url))
const deviceId = 1 as DeviceId

/** A data folder as an earlier version left it; what is in it stands in the README of the fixtures. */
async function folderOf(file: string): Promise<string> {
  const folder = await dataFolder()
  await writeFile(join(folder, 'hearth.sqlite'), gunzipSync(await readFile(join(fixtures, file))))
  return folder
}

test('jobs of the version before pauses go on: never paused, each a single task of inference, without checkpoints', async () => {
  const { store, log } = await testStore({ folder: await folderOf('hearth-0001.sqlite.gz') })
  const notPaused = { pauseRequestedAt: null, pauseCause: null, pausedAt: null, pausedMs: 0, pausedWaitingMs: 0 }
  const single = { program: 'noop', item: 0, stage: 'inference', isHeld: false }
  expect(store.opening.unfinished).toMatchObject([
    {
      record: { id: 2, state: 'RUNNING', attempt: 1, postprocessingAt: null, ...notPaused },
      tasks: [{ id: 2, ...single }],
      checkpoints: [],
    },
    {
      record: { id: 3, state: 'QUEUED', idempotencyKey: 'key', ...notPaused },
      tasks: [{ id: 3, ...single }],
      checkpoints: [],
    },
  ])
  expect((await store.readInputsOfJob(3 as JobId)).map(({ id }) => id)).toEqual([1])

  const [running] = store.opening.unfinished
  if (!running) throw new Error('There is a job that runs.')
  const { record } = running
  log.adopt(record)
  await store.recordPauseRequest(record.id, 6000)
  const body = { kind: 'paused', cause: 'requested', message: 'Paused.' } as const
  await log.changeState(record, body, 'PAUSED', { pauseCause: 'requested', pausedAt: 7000 })
  await store.saveCheckpoint({
    taskId: 2 as TaskId,
    jobId: record.id,
    step: 3,
    saved: Buffer.from('state'),
    savedAt: 7000,
  })
  expect(await store.readJob(record.id)).toMatchObject({ state: 'PAUSED', pauseRequestedAt: 6000, pausedAt: 7000 })
  await log.changeState(record, { kind: 'started', deviceId }, 'RUNNING', { pausedAt: null, pausedMs: 10 })
  await log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})
  expect(await store.readCheckpoint(2 as TaskId)).toBeNull()
})

test('jobs that had ended are read as they were', async () => {
  const { store, log } = await testStore({ folder: await folderOf('hearth-0001.sqlite.gz') })
  const ended = 1 as JobId
  expect(await store.readJob(ended)).toMatchObject({ state: 'SUCCEEDED', finishedAt: 5000, pausedMs: 0 })
  expect(await store.readOutput(ended)).toEqual(new Uint8Array(Buffer.from('output')))
  expect(await store.readArtifact(2 as ArtifactId)).toMatchObject({ jobId: ended, mimeType: 'image/png' })
  const events = await take(log.events(ended, null))
  expect(events.map(({ body }) => body.kind)).toEqual(['queued', 'started', 'text', 'succeeded'])
})

test('a database from before decisions were kept keeps them from now on', async () => {
  const { store } = await testStore({ folder: await folderOf('hearth-0001.sqlite.gz') })
  const { firstDecision } = store.opening
  const ring = new DecisionRing(10)
  ring.continueFrom(firstDecision - 1)
  ring.record(10, { kind: 'LOAD', reason: 'jobs_wait' })
  expect(await store.readDecisions({}, { first: 10, beforeId: null })).toEqual([])
  await store.recordHistory({ decisions: [ring.at(firstDecision)], allocations: [] })
  expect(await store.readDecision(firstDecision)).toMatchObject({ kind: 'LOAD', at: 10 })
  expect(await store.countAllocations({})).toBe(0)
})
