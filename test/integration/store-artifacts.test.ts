/** What the store keeps of artifacts, and deletes of them and of jobs. */
import { describe, expect, test } from 'vitest'
import type { DeviceId } from '../../src/scheduler/ids.ts'
import { createEventLog } from '../../src/store/job-events.ts'
import type { ArtifactId, ArtifactRecord, NewJob } from '../../src/store/records.ts'
import { CursorExpired, type Store } from '../../src/store/store.ts'
import { artifactRecord, sha256 } from '../support/artifacts.ts'
import { type TestStore, take, testStore } from '../support/stores.ts'

const deviceId = 1 as DeviceId
const nothingFull = { endedBeforeIfFull: 0, bytesMax: Number.MAX_SAFE_INTEGER }

function upload(id: number, details: Partial<ArtifactRecord> = {}): ArtifactRecord {
  return artifactRecord({ id: id as ArtifactId, sha256: sha256(`upload ${id}`), createdAt: id, ...details })
}

function preview({ log }: TestStore, { record }: NewJob, id: number): void {
  log.preview(record, 0, id, upload(id, { jobId: record.id }), () => {})
}

/** Runs a submitted job to its end. */
async function finish(
  { log }: TestStore,
  { record }: NewJob,
  artifacts: readonly ArtifactRecord[] = [],
  at?: number,
): Promise<void> {
  await log.changeState(record, { kind: 'started', deviceId }, 'RUNNING', { attempt: 1 })
  const patch = at === undefined ? {} : { finishedAt: at }
  await log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', patch, Buffer.from('output'), artifacts)
}

describe('artifacts', () => {
  test('of a job come with its end, and not before', async () => {
    const open = await testStore()
    const { store, jobs, submit } = open
    const job = jobs.next()
    await submit(job)
    const made = [upload(7, { jobId: job.record.id, width: 5, height: 3 }), upload(8, { jobId: job.record.id })]
    expect(await store.readArtifact(7 as ArtifactId)).toBe(null)
    await finish(open, job, made)
    expect(await store.readArtifactsOfJob(job.record.id)).toEqual(made)
    expect(await store.readArtifact(7 as ArtifactId)).toEqual(made[0])
  })

  test("uploaded twice are one: of equal content and type, and not a job's", async () => {
    const open = await testStore()
    const { store, jobs, submit } = open
    const job = jobs.next()
    await submit(job)
    await finish(open, job, [upload(1, { sha256: sha256('x'), jobId: job.record.id })])
    const first = upload(2, { sha256: sha256('x') })
    expect(await store.insertArtifact(first)).toEqual(first)
    expect(await store.insertArtifact(upload(3, { sha256: sha256('x') }))).toEqual(first)
    const other = upload(4, { sha256: sha256('x'), mimeType: 'text/plain' })
    expect(await store.insertArtifact(other)).toEqual(other)
    expect(await store.readArtifact(3 as ArtifactId)).toBe(null)
  })

  test('that a submission takes must be there, or nothing of it is written', async () => {
    const { store, jobs } = await testStore()
    await store.insertArtifact(upload(1))
    const [good, bad] = jobs.many(2) as [NewJob, NewJob]
    const unit = [
      { ...good, artifactIds: [1 as ArtifactId] },
      { ...bad, artifactIds: [1 as ArtifactId, 9 as ArtifactId] },
    ]
    expect(await store.submitJobs(unit)).toEqual({ kind: 'artifact_missing', index: 1, artifactId: 9 })
    expect(await store.countJobs({})).toBe(0)
    expect(await store.submitJobs(unit.slice(0, 1))).toMatchObject({ kind: 'accepted' })
    expect(await store.readInputsOfJob(good.record.id)).toEqual([upload(1)])
  })

  test('a job that is sent again by its key needs its artifacts no more', async () => {
    const { store, jobs } = await testStore()
    await store.insertArtifact(upload(1))
    const given = { idempotencyKey: 'key', createdAt: 5 }
    const first = { ...jobs.next(given), artifactIds: [1 as ArtifactId] }
    await store.submitJobs([first])
    const again = { ...jobs.next(given), artifactIds: [99 as ArtifactId] }
    const outcome = await store.submitJobs([again])
    expect(outcome).toMatchObject({ kind: 'accepted', jobs: [{ record: { id: first.record.id }, isNew: false }] })
  })

  test('their numbers are never given twice', async () => {
    const open = await testStore()
    await open.store.insertArtifact(upload(41))
    await open.store.retainArtifacts({ usedBefore: 1000, usedBeforeIfFull: 0, bytesToFree: 0 })
    const { store } = await open.reopen()
    expect(store.opening.nextArtifactId).toBe(42)
  })

  test('contents that nobody has are told, in the order of writes', async () => {
    const { store } = await testStore()
    const inserting = store.insertArtifact(upload(1))
    expect(await store.findUnusedContents([sha256('upload 1'), sha256('other')])).toEqual([sha256('other')])
    await inserting
  })
})

test('registered models are kept by name', async () => {
  const { store } = await testStore()
  const one = { name: 'one', path: '/models/one.onnx', task: null, registeredAt: 1 }
  await store.saveRegistration(one)
  const two = { name: 'two', path: '/models/two', task: 'infer', registeredAt: 2 }
  await store.saveRegistration(two)
  await store.saveRegistration({ ...one, path: '/models/new.onnx' })
  expect(await store.readRegistrations()).toEqual([{ ...one, path: '/models/new.onnx' }, two])
})

describe('retention of jobs', () => {
  test('old finished ones go with everything of theirs; young and unfinished ones stay', async () => {
    const open = await testStore()
    const { store, jobs, submit, log } = open
    const [old, unfinished, young] = [
      jobs.next({ createdAt: 10 }),
      jobs.next({ createdAt: 20 }),
      jobs.next({ createdAt: 30 }),
    ]
    await submit(old, unfinished, young)
    await finish(open, old, [upload(1, { jobId: old.record.id })], 100)
    const cursor = log.committedSequence()
    await finish(open, young, [], 5000)

    const step = await store.retainJobs({ afterId: 0, endedBefore: 1000, ...nothingFull })
    expect(step).toMatchObject({
      jobs: [old.record.id],
      contents: [[sha256('upload 1'), 7]],
      deletedSequence: cursor,
      isDone: true,
    })
    expect(await store.readJob(old.record.id)).toBe(null)
    expect(await store.readOutput(old.record.id)).toBe(null)
    expect(await store.countEvents(old.record.id)).toBe(0)
    expect(await store.readArtifact(1 as ArtifactId)).toBe(null)
    expect((await store.readJobs({}, { first: 10, beforeId: null })).map(({ id }) => id)).toEqual([
      young.record.id,
      unfinished.record.id,
    ])
  })

  test('previews go with their job', async () => {
    const open = await testStore()
    const { store, jobs, submit } = open
    const job = jobs.next({ createdAt: 10 })
    await submit(job)
    preview(open, job, 5)
    await finish(open, job, [upload(6, { jobId: job.record.id })], 100)
    expect((await store.readArtifactsOfJob(job.record.id)).map(({ id }) => id)).toEqual([5, 6])
    const step = await store.retainJobs({ afterId: 0, endedBefore: 1000, ...nothingFull })
    expect(step.contents.map(([content]) => content)).toEqual([sha256('upload 5'), sha256('upload 6')])
    expect(await store.readArtifact(5 as ArtifactId)).toBe(null)
  })

  test('a content that another artifact has keeps its file', async () => {
    const open = await testStore()
    const { store, jobs, submit } = open
    const job = jobs.next({ createdAt: 10 })
    await submit(job)
    await store.insertArtifact(upload(1, { sha256: sha256('shared') }))
    await finish(open, job, [upload(2, { sha256: sha256('shared'), jobId: job.record.id })], 100)
    const step = await store.retainJobs({ afterId: 0, endedBefore: 1000, ...nothingFull })
    expect([step.jobs, step.contents]).toEqual([[job.record.id], []])
  })

  test('a job whose result an unfinished one takes stays until that has ended', async () => {
    const open = await testStore()
    const { store, jobs, submit } = open
    const maker = jobs.next({ createdAt: 10 })
    await submit(maker)
    await finish(open, maker, [upload(1, { jobId: maker.record.id })], 100)
    const taker = { ...jobs.next({ createdAt: 2000 }), artifactIds: [1 as ArtifactId] }
    await submit(taker)
    const retention = { afterId: 0, endedBefore: 1000, ...nothingFull }
    expect((await store.retainJobs(retention)).jobs).toEqual([])
    await finish(open, taker)
    expect((await store.retainJobs(retention)).jobs).toEqual([maker.record.id])
  })

  test('a database that is too large loses its oldest jobs until it fits, in steps, and gives the space back', async () => {
    const open = await testStore()
    const { store, jobs, submit } = open
    const many = jobs.many(300, { createdAt: 10, request: JSON.stringify('x'.repeat(20_000)) })
    await submit(...many)
    await Promise.all(many.map((job) => finish(open, job, [], 100)))
    const bytesMax = 3_000_000
    const deleted: number[] = []
    let [afterId, isDone, steps] = [0, false, 0]
    while (!isDone) {
      const step = await store.retainJobs({ afterId, endedBefore: 0, endedBeforeIfFull: 1000, bytesMax })
      deleted.push(...step.jobs)
      ;({ nextId: afterId, isDone } = step)
      steps++
    }
    expect(steps).toBeGreaterThan(0)
    expect(deleted).toEqual(many.slice(0, deleted.length).map(({ record }) => record.id))
    expect(await store.countJobs({})).toBe(300 - deleted.length)
    expect(deleted.length).toBeGreaterThan(100)
    expect(deleted.length).toBeLessThan(300)
    let [left, before] = [await store.vacuum(), Number.POSITIVE_INFINITY]
    while (left > 0 && left < before) [before, left] = [left, await store.vacuum()]
    expect(left).toBe(0)
    await store.close()
    expect(store.metrics.databaseBytes).toBeLessThan(bytesMax + 500_000)
  })

  test('a cursor over all jobs from before what was deleted has expired, also after a restart', async () => {
    const open = await testStore({ limits: { changesMax: 1 } })
    const { store, jobs, submit, log } = open
    const before = log.committedSequence()
    const [first, second] = [jobs.next({ createdAt: 10 }), jobs.next({ createdAt: 5000 })]
    await submit(first)
    await finish(open, first, [], 100)
    const after = log.committedSequence()
    await submit(second)
    await finish(open, second)
    await store.retainJobs({ afterId: 0, endedBefore: 1000, ...nothingFull })
    expect(store.deletedSequence()).toBe(after)
    await expect(take(log.changes(before), 1)).rejects.toThrow(CursorExpired)
    expect((await take(log.changes(after), 3)).map(({ jobId }) => jobId)).toEqual(Array(3).fill(second.record.id))
    const reopened = await open.reopen()
    expect(reopened.store.deletedSequence()).toBe(after)
    await expect(take(reopened.log.changes(before), 1)).rejects.toThrow(CursorExpired)
  })
})

test('a page of changes says when some of them are deleted already, though nobody here has heard of that yet', async () => {
  const open = await testStore()
  const { store, jobs, submit } = open
  const before = store.lastSequence()
  const [first, second] = [jobs.next({ createdAt: 10 }), jobs.next({ createdAt: 5000 })]
  await submit(first, second)
  await finish(open, first, [], 100)
  await store.retainJobs({ afterId: 0, endedBefore: 1000, ...nothingFull })
  const unaware: Store = Object.create(store, { deletedSequence: { value: () => 0 } })
  const log = createEventLog({ store: unaware, now: Date.now, limits: { changesMax: 1 } })
  await expect(take(log.changes(before), 1)).rejects.toThrow(CursorExpired)
})

describe('retention of artifacts', () => {
  test('those not used for long go; submitting and uploading again count as use', async () => {
    const { store, jobs, submit } = await testStore()
    for (const id of [1, 2, 3]) await store.insertArtifact(upload(id))
    await store.insertArtifact(upload(4, { sha256: sha256('upload 2'), createdAt: 5000 }))
    const job = { ...jobs.next({ createdAt: 6000 }), artifactIds: [3 as ArtifactId] }
    await submit(job)
    const step = await store.retainArtifacts({ usedBefore: 1000, usedBeforeIfFull: 0, bytesToFree: 0 })
    expect(step).toEqual({ contents: [[sha256('upload 1'), 7]], deleted: 1, isDone: true })
    expect(await store.readArtifact(2 as ArtifactId)).not.toBe(null)
    expect(await store.readArtifact(3 as ArtifactId)).not.toBe(null)
  })

  test('a preview goes with the event that names it, and leaves the rest of the log alone', async () => {
    const open = await testStore({ limits: { jobBytesMax: 0 } })
    const { store, jobs, submit, log } = open
    const job = jobs.next()
    await submit(job)
    for (const id of [1, 5000]) {
      preview(open, job, id)
      log.step(job.record, 0, id, 20_000)
      await expect.poll(() => store.readArtifact(id as ArtifactId)).not.toBe(null)
    }
    await finish(open, job)
    const step = await store.retainArtifacts({ usedBefore: 1000, usedBeforeIfFull: 0, bytesToFree: 0 })
    expect(step).toMatchObject({ contents: [[sha256('upload 1'), 7]], deleted: 1 })
    const events = await take(log.events(job.record.id, null))
    expect(events.map(({ body }) => body.kind)).toEqual(['queued', 'step', 'step', 'preview', 'started', 'succeeded'])
    expect(await store.countEvents(job.record.id)).toBe(6)
  })

  test('previews that are withdrawn go with their events, and their contents where nobody else has them', async () => {
    const open = await testStore()
    const { store, log, jobs, submit } = open
    const job = jobs.next()
    await submit(job)
    const show = (id: number, item: number, content: string) =>
      log.preview(job.record, item, 1, upload(id, { jobId: job.record.id, sha256: sha256(content) }), () => {})
    show(1, 0, 'kept')
    show(2, 1, 'shared')
    await expect.poll(() => store.readArtifact(2 as ArtifactId)).not.toBe(null)
    await store.insertArtifact(upload(3, { sha256: sha256('shared') }))
    show(4, 1, 'gone')
    const [contents] = await Promise.all([log.withdrawPreviews(job.record, [1]), finish(open, job)])
    expect(contents).toEqual([[sha256('gone'), 7]])
    expect((await store.readArtifactsOfJob(job.record.id)).map(({ id }) => id)).toEqual([1])
    const events = await store.readEvents(job.record.id, 0, 100)
    expect(events.map(({ body }) => body.kind)).toEqual(['queued', 'preview', 'started', 'succeeded'])
  })

  test('what a job that has not ended has shown of itself stays however old it is', async () => {
    const open = await testStore()
    const { store, jobs, submit } = open
    const job = jobs.next()
    await submit(job)
    preview(open, job, 1)
    await expect.poll(() => store.readArtifact(1 as ArtifactId)).not.toBe(null)
    const everything = { usedBefore: 1e15, usedBeforeIfFull: 1e15, bytesToFree: 1e15 }
    expect((await store.retainArtifacts(everything)).deleted).toBe(0)
    await finish(open, job)
    expect((await store.retainArtifacts(everything)).deleted).toBe(1)
  })

  test('what a job that has not ended takes stays however old it is', async () => {
    const open = await testStore()
    const { store, jobs, submit } = open
    await store.insertArtifact(upload(1))
    const job = { ...jobs.next({ createdAt: 2 }), artifactIds: [1 as ArtifactId] }
    await submit(job)
    const everything = { usedBefore: 1e15, usedBeforeIfFull: 1e15, bytesToFree: 1e15 }
    expect((await store.retainArtifacts(everything)).deleted).toBe(0)
    await finish(open, job)
    expect((await store.retainArtifacts(everything)).deleted).toBe(1)
    expect(await store.readInputsOfJob(job.record.id)).toEqual([])
  })

  test('too many bytes: those used longest ago go until it fits, and a content counts when its last artifact goes', async () => {
    const { store } = await testStore()
    const same = sha256('same')
    await store.insertArtifact(upload(1, { sha256: same, mimeType: 'text/plain', sizeBytes: 100 }))
    await store.insertArtifact(upload(2, { sizeBytes: 100 }))
    await store.insertArtifact(upload(3, { sha256: same, sizeBytes: 100 }))
    await store.insertArtifact(upload(4, { sizeBytes: 100 }))
    const step = await store.retainArtifacts({ usedBefore: 0, usedBeforeIfFull: 1000, bytesToFree: 150 })
    expect(step).toEqual({
      contents: [
        [sha256('upload 2'), 100],
        [same, 100],
      ],
      deleted: 3,
      isDone: true,
    })
    expect(await store.readArtifact(4 as ArtifactId)).not.toBe(null)
  })
})
