import { expect, test } from 'vitest'
import type { DeviceId } from '../../../src/scheduler/ids.ts'
import { createEventLog, type EventLogLimits } from '../../../src/store/job-events.ts'
import type { ArtifactId, JobEvent, JobRecord } from '../../../src/store/records.ts'
import { artifactRecord } from '../../support/artifacts.ts'
import { HeldStore } from '../../support/held-store.ts'
import { queuedRecord } from '../../support/stored-jobs.ts'
import { take } from '../../support/stores.ts'

const deviceId = 1 as DeviceId
const failure = { code: 'WORKER_LOST', message: 'The worker died.', retryable: true } as const
const tick = () => new Promise((resolve) => setImmediate(resolve))

/** A log over a held store, and one job that is committed as queued. */
function logWithJob(limits: Partial<EventLogLimits> = {}) {
  const held = new HeldStore()
  const log = createEventLog({ store: held.store, now: () => 1000, limits })
  const record = queuedRecord(1)
  held.submit(record)
  held.commit()
  log.submitted({ kind: 'accepted', jobs: [{ record, isNew: true }] })
  return { held, log, record }
}

const start = (log: ReturnType<typeof createEventLog>, record: JobRecord, attempt = 1) =>
  log.changeState(record, { kind: 'started', deviceId }, 'RUNNING', { attempt, deviceId, startedAt: 1000 })
const requeue = (log: ReturnType<typeof createEventLog>, record: JobRecord) =>
  log.changeState(record, { kind: 'requeued', cause: 'worker_lost', failure, fromStep: 0 }, 'QUEUED', {
    firstPartialAt: null,
  })
const kinds = (events: readonly JobEvent[]) => events.map(({ body }) => body.kind)

/** Makes previews that note what becomes of them. */
function previews(log: ReturnType<typeof createEventLog>, record: JobRecord) {
  const ends: string[] = []
  const show = (id: number, item = 0) =>
    log.preview(record, item, id, artifactRecord({ id: id as ArtifactId, jobId: record.id }), (end) =>
      ends.push(`${id} ${end}`),
    )
  return { ends, show }
}
const previewed = (events: readonly JobEvent[]) =>
  events.flatMap(({ body }) => (body.kind === 'preview' ? [body.artifactId] : []))

/** What a reader has got so far, without waiting for more. */
function watch(events: AsyncIterableIterator<JobEvent, undefined>) {
  const seen: JobEvent[] = []
  const reading = (async () => {
    for await (const event of events) seen.push(event)
  })()
  const settle = async () => {
    for (let turns = 0; turns < 5; turns++) await tick()
    return kinds(seen)
  }
  return { seen, reading, settle }
}

test('a state change is seen, in the record and by readers, only after its commit', async () => {
  const { held, log, record } = logWithJob()
  const { settle } = watch(log.events(record.id, null))
  const written = start(log, record)
  expect(await settle()).toEqual(['queued'])
  expect(record).toMatchObject({ state: 'QUEUED', attempt: 0, startedAt: null })
  held.commit()
  await written
  expect(record).toMatchObject({ state: 'RUNNING', attempt: 1, deviceId, startedAt: 1000 })
  expect(await settle()).toEqual(['queued', 'started'])
})

test('progress is seen at once, but never before a state change that came before it', async () => {
  const { held, log, record } = logWithJob()
  const { settle } = watch(log.events(record.id, null))
  void start(log, record)
  log.text(record, 0, 'Hello')
  log.progress(record, { done: 1, total: null, unit: 'TOKENS' })
  expect(await settle()).toEqual(['queued'])
  expect(record).toMatchObject({ progressDone: 0, firstPartialAt: null })
  held.commit(1)
  expect(await settle()).toEqual(['queued', 'started', 'text'])
  expect(record).toMatchObject({ progressDone: 1, progressUnit: 'TOKENS', firstPartialAt: 1000 })
  log.text(record, 0, ' world')
  expect(await settle()).toEqual(['queued', 'started', 'text', 'text'])
  expect(held.heldCount).toBe(2)
})

test('progress whose number is not safe from a crash yet waits for its own commit', async () => {
  const { held, log, record } = logWithJob()
  const { settle } = watch(log.events(record.id, null))
  void start(log, record)
  held.commit()
  held.reserved = 0
  log.text(record, 0, 'Hello')
  expect(await settle()).toEqual(['queued', 'started'])
  held.commit()
  expect(await settle()).toEqual(['queued', 'started', 'text'])
})

test('what was said before a state change is numbered before it', async () => {
  const { held, log, record } = logWithJob()
  void start(log, record)
  log.text(record, 0, 'all there is')
  void log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})
  held.commit()
  const events = await take(log.events(record.id, null))
  expect(kinds(events)).toEqual(['queued', 'started', 'text', 'succeeded'])
  expect(events.map(({ sequence }) => sequence)).toEqual(
    events.map(({ sequence }) => sequence).toSorted((a, b) => a - b),
  )
  expect(events.map(({ from, to }) => [from, to])).toEqual([
    [null, 'QUEUED'],
    ['QUEUED', 'RUNNING'],
    [null, null],
    ['RUNNING', 'SUCCEEDED'],
  ])
})

test('a requeue starts the text again from its beginning, in the next attempt', async () => {
  const { held, log, record } = logWithJob()
  void start(log, record)
  log.text(record, 0, 'lost')
  void requeue(log, record)
  void start(log, record, 2)
  log.text(record, 0, 'kept')
  void log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})
  held.commit()
  const texts = (await take(log.events(record.id, null))).filter(({ body }) => body.kind === 'text')
  expect(texts.map(({ attempt, body }) => [attempt, body])).toEqual([
    [1, { kind: 'text', item: 0, offset: 0, text: 'lost' }],
    [2, { kind: 'text', item: 0, offset: 0, text: 'kept' }],
  ])
})

test('a job ends once; progress that comes later is dropped', async () => {
  const { held, log, record } = logWithJob()
  void log.changeState(record, { kind: 'failed', failure }, 'FAILED', { failure })
  expect(() => log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})).toThrow(/has ended/)
  log.text(record, 0, 'too late')
  await tick()
  held.commit()
  expect(kinds(await take(log.events(record.id, null)))).toEqual(['queued', 'failed'])
  expect(record).toMatchObject({ state: 'FAILED', failure, finishedAt: 1000 })
})

test('credit comes back when the items are committed, not when they are seen', async () => {
  const { held, log, record } = logWithJob()
  void start(log, record)
  held.commit()
  let credit = 0
  log.values(record, [1, 2, 3], (items) => (credit += items))
  await tick()
  expect(credit).toBe(0)
  held.commit()
  await tick()
  expect(credit).toBe(3)
})

test('a preview is seen only after the commit that holds its picture, and so is what comes behind it', async () => {
  const { held, log, record } = logWithJob()
  const { settle } = watch(log.events(record.id, null))
  void start(log, record)
  held.commit()
  const { ends, show } = previews(log, record)
  show(5)
  log.step(record, 0, 5, 20)
  expect(await settle()).toEqual(['queued', 'started', 'step'])
  log.step(record, 0, 6, 20)
  expect(await settle()).toEqual(['queued', 'started', 'step'])
  expect(record.firstPartialAt).toBeNull()
  held.commit()
  expect(await settle()).toEqual(['queued', 'started', 'step', 'preview', 'step'])
  expect(record.firstPartialAt).toBe(1000)
  expect(ends).toEqual(['5 committed'])
  expect(held.artifacts.map(({ id }) => id)).toEqual([5])
})

test('every preview hears what becomes of its file: written, overtaken while the store is behind, or too late', async () => {
  const { held, log, record } = logWithJob({ uncommittedProgressMax: 1 })
  void start(log, record)
  held.commit()
  const { ends, show } = previews(log, record)
  for (const id of [1, 2, 3, 4]) {
    show(id)
    await tick()
  }
  expect(ends).toEqual(['2 dropped', '3 dropped'])
  void log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})
  show(5)
  expect(ends).toEqual(['2 dropped', '3 dropped', '5 dropped'])
  held.commit()
  await tick()
  expect(ends.slice(3)).toEqual(['1 committed', '4 committed'])
  expect(previewed(held.committed)).toEqual([1, 4])
})

test('a slow reader gets of the previews of a picture the newest, and misses nothing else', async () => {
  const { held, log, record } = logWithJob()
  const slow = log.events(record.id, null)
  const quick = watch(log.events(record.id, null))
  void start(log, record)
  const { show } = previews(log, record)
  for (const id of [1, 2, 3]) {
    show(id)
    show(id + 10, 1)
    log.step(record, 0, id, 20)
    await tick()
    held.commit()
    await quick.settle()
  }
  void log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})
  held.commit()
  await quick.reading
  const seen = await take(slow)
  expect(previewed(seen)).toEqual([3, 13])
  expect(previewed(quick.seen)).toEqual([1, 11, 2, 12, 3, 13])
  const others = (events: readonly JobEvent[]) => events.filter(({ body }) => body.kind !== 'preview')
  expect(others(seen)).toEqual(others(quick.seen))
})

test('previews that are withdrawn are never seen again, committed or not, and those of other items are', async () => {
  const { held, log, record } = logWithJob()
  const { show } = previews(log, record)
  void start(log, record)
  show(1, 0)
  show(2, 1)
  await tick()
  held.commit()
  show(3, 1)
  await log.withdrawPreviews(record, [1])
  void log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})
  held.commit()
  expect(previewed(await take(log.events(record.id, null)))).toEqual([1])
  expect(held.withdrawn).toEqual([{ jobId: record.id, items: [1] }])
})

test('a preview whose picture is gone is not given out', async () => {
  const { held, log, record } = logWithJob()
  const { show } = previews(log, record)
  void start(log, record)
  show(1)
  void log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})
  held.commit()
  held.artifacts.length = 0
  expect(kinds(await take(log.events(record.id, null)))).toEqual(['queued', 'started', 'succeeded'])
})

test('a job pauses, goes on and is postprocessed; its text goes on where it was', async () => {
  const { held, log, record } = logWithJob()
  void start(log, record)
  log.text(record, 0, 'Hello')
  void log.changeState(record, { kind: 'paused', cause: 'requested', message: 'Paused.' }, 'PAUSED', { pausedAt: 1000 })
  void log.changeState(record, { kind: 'resumed', deviceId: null }, 'QUEUED', { pausedAt: null, pausedMs: 7 })
  void start(log, record)
  log.text(record, 0, ' world')
  void log.changeState(record, { kind: 'postprocessing' }, 'POSTPROCESSING', { postprocessingAt: 1000 })
  held.commit()
  expect(record).toMatchObject({ state: 'POSTPROCESSING', pausedAt: null, pausedMs: 7, postprocessingAt: 1000 })
  const texts = held.committed.flatMap(({ body }) => (body.kind === 'text' ? [body.offset] : []))
  expect(texts).toEqual([0, 5])
})

test('while the store is far behind, progress is coalesced further instead of piling up', async () => {
  const { held, log, record } = logWithJob({ uncommittedProgressMax: 2 })
  void start(log, record)
  held.commit()
  for (let turn = 0; turn < 20; turn++) {
    log.text(record, 0, 'x')
    await tick()
  }
  expect(held.heldCount).toBe(2)
  held.commit()
  await tick()
  held.commit()
  const texts = held.committed.flatMap(({ body }) => (body.kind === 'text' ? [body.text] : []))
  expect(texts).toEqual(['x', 'x', 'x'.repeat(18)])
})

test('changes of all jobs come in the order of their numbers, from the cursor on, without progress', async () => {
  const { held, log, record } = logWithJob()
  const cursor = log.committedSequence()
  const other = queuedRecord(2)
  const { settle, seen } = watch(log.changes(cursor))
  void start(log, record)
  held.submit(other)
  log.text(record, 0, 'not a change')
  void log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})
  expect(await settle()).toEqual([])
  held.commit(2)
  expect(await settle()).toEqual(['started', 'queued'])
  held.commit()
  expect(await settle()).toEqual(['started', 'queued', 'succeeded'])
  expect(seen.map(({ jobId }) => jobId)).toEqual([1, 2, 1])
  expect(log.committedSequence()).toBe(log.lastSequence())
})

test('a reader that waits is woken and released by return()', async () => {
  const { log, record } = logWithJob()
  const events = log.events(record.id, null)
  const changes = log.changes(null)
  expect((await events.next()).value).toMatchObject({ body: { kind: 'queued' } })
  const waiting = [events.next(), changes.next()]
  await tick()
  expect(log.metrics.waitingReaders).toBe(2)
  await events.return?.()
  await changes.return?.()
  expect(await Promise.all(waiting)).toEqual([
    { done: true, value: undefined },
    { done: true, value: undefined },
  ])
  expect(log.metrics.waitingReaders).toBe(0)
  expect(await events.next()).toEqual({ done: true, value: undefined })
})

test('throw() ends a reader too, and hands the error on', async () => {
  const { log, record } = logWithJob()
  const events = log.events(record.id, log.lastSequence())
  const waiting = events.next()
  await expect(events.throw?.(new Error('socket gone'))).rejects.toThrow('socket gone')
  expect(await waiting).toEqual({ done: true, value: undefined })
  expect(log.metrics.waitingReaders).toBe(0)
})

test('calls of next() that overlap are answered in order', async () => {
  const { held, log, record } = logWithJob()
  const events = log.events(record.id, null)
  const answers = Promise.all([events.next(), events.next(), events.next()])
  void start(log, record)
  void log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})
  held.commit()
  expect((await answers).map(({ value }) => value?.body.kind)).toEqual(['queued', 'started', 'succeeded'])
  expect(await events.next()).toEqual({ done: true, value: undefined })
})

test('a reader that is always ready lets the event loop turn', async () => {
  const { held, log, record } = logWithJob()
  void start(log, record)
  for (let event = 0; event < 500; event++) {
    log.text(record, 0, 'x')
    await tick()
  }
  void log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})
  held.commit()
  let turns = 0
  let isReading = true
  const count = () => {
    turns++
    if (isReading) setImmediate(count)
  }
  setImmediate(count)
  const events = await take(log.events(record.id, null))
  isReading = false
  expect(events).toHaveLength(503)
  expect(turns).toBeGreaterThan(5)
})

test('memory holds a bounded part of a long log, however slow its readers; the store has the rest', async () => {
  const limits = { jobBytesMax: 20_000, totalBytesMax: 30_000 }
  const { held, log, record } = logWithJob(limits)
  const slow = log.events(record.id, null)
  await slow.next()
  void start(log, record)
  for (let event = 0; event < 300; event++) {
    log.text(record, 0, 'x'.repeat(500))
    await tick()
    held.commit()
    expect(log.metrics.tailBytes).toBeLessThanOrEqual(limits.jobBytesMax)
  }
  void log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})
  held.commit()
  const rest = await take(slow)
  expect(rest).toHaveLength(302)
  expect(rest.map(({ sequence }) => sequence)).toEqual(held.committed.slice(1).map(({ sequence }) => sequence))
})

test('jobs that ended leave memory when others need it, and are read from the store from then on', async () => {
  const { held, log } = logWithJob({ totalBytesMax: 5_000 })
  for (let id = 2; id < 100; id++) {
    const record = queuedRecord(id)
    held.submit(record)
    held.commit()
    log.submitted({ kind: 'accepted', jobs: [{ record, isNew: true }] })
    void log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})
    held.commit()
  }
  expect(log.metrics.jobsInMemory).toBeLessThan(20)
  expect(log.metrics.tailBytes).toBeLessThanOrEqual(5_000)
  expect(kinds(await take(log.events(queuedRecord(2).id, null)))).toEqual(['queued', 'succeeded'])
})

test('changes older than the ring come from the store, and then it goes on live', async () => {
  const { held, log, record } = logWithJob({ changesMax: 4 })
  for (let attempt = 1; attempt <= 20; attempt++) {
    void start(log, record, attempt)
    void requeue(log, record)
    held.commit()
  }
  const changes = log.changes(0)
  const read = take(changes, 42)
  for (let turn = 0; turn < 10; turn++) await tick()
  void start(log, record, 21)
  held.commit()
  expect((await read).map(({ sequence }) => sequence)).toEqual(held.committed.map(({ sequence }) => sequence))
})

test('what is in the store but not yet published is not seen by those who read the store either', async () => {
  const { held, log, record } = logWithJob({ jobBytesMax: 0, changesMax: 1 })
  const { settle } = watch(log.events(record.id, null))
  const changes = watch(log.changes(0))
  expect(await settle()).toEqual(['queued'])
  void start(log, record)
  const publish = held.write()
  const late = watch(log.events(record.id, null))
  const lateChanges = watch(log.changes(0))
  expect([await late.settle(), await lateChanges.settle(), await changes.settle()]).toEqual([
    ['queued'],
    ['queued'],
    ['queued'],
  ])
  expect(record.state).toBe('QUEUED')
  publish()
  expect([await settle(), await late.settle(), await lateChanges.settle()]).toEqual([
    ['queued', 'started'],
    ['queued', 'started'],
    ['queued', 'started'],
  ])
})
