/** Whatever jobs say, however often their readers lose the connection, and wherever the events are by then: everybody reads the same log. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DeviceId, JobId } from '../../src/scheduler/ids.ts'
import type { JobEventLog } from '../../src/store/job-events.ts'
import { type ArtifactId, isTerminal, type JobEvent, type JobRecord } from '../../src/store/records.ts'
import { artifactRecord } from '../support/artifacts.ts'
import { type TestStore, take, testStore } from '../support/stores.ts'

const deviceId = 1 as DeviceId
const failure = { code: 'WORKER_LOST', message: 'The worker died.', retryable: true } as const
const runs = 60

/** What may happen to one of three jobs; `tick` and `commit` let the log get on. */
type Action =
  | { readonly type: 'text'; readonly job: number; readonly text: string }
  | { readonly type: 'values'; readonly job: number; readonly count: number }
  | { readonly type: 'step'; readonly job: number }
  | { readonly type: 'preview'; readonly job: number; readonly item: number }
  | { readonly type: 'requeue'; readonly job: number }
  | { readonly type: 'tick' }
  | { readonly type: 'commit' }

const job = fc.nat(2)
const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('text' as const), job, text }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('values' as const), job, count: fc.nat(60) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('step' as const), job }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('preview' as const), job, item: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('requeue' as const), job }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('tick' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('commit' as const) }) },
)

const workload = fc.record({
  actions: fc.array(action, { minLength: 10, maxLength: 120 }),
  /** After how many events each reader loses its connection, time and again. */
  patience: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 3, maxLength: 3 }),
})

test('a reader that reconnects at any place, any number of times, has the whole log but older previews, and nothing twice', {
  timeout: 60_000,
}, async () => {
  // Small, so that a reader meets events in memory, in the store, and on the border between.
  const context = await testStore({ limits: { jobBytesMax: 3000, totalBytesMax: 6000, changesMax: 8 } })
  await fc.assert(
    fc.asyncProperty(workload, async ({ actions, patience }) => {
      const records = await submitThree(context)
      const cursor = context.log.committedSequence()
      const readers = records.map(({ id }, index) => readWithBreaks(context.log, id, patience[index] ?? 1))
      const said = await act(context.log, records, actions)
      const live = await Promise.all(readers)
      for (const [index, record] of records.entries()) {
        const events = live[index] ?? []
        expectOneLog(events)
        const stored = await allStored(context, record.id)
        expectSubset(events, stored)
        expectSubset(await take(context.log.events(record.id, null)), stored)
        expect(previewsOf(stored)).toEqual(said[index]?.previews.committed)
        expect(textOf(events)).toBe(said[index]?.text)
        expect(valuesOf(events)).toEqual(said[index]?.values)
      }
      const expected = live.flat().filter(({ to, sequence }) => to !== null && sequence > cursor)
      const changes = await take(context.log.changes(cursor), expected.length)
      expect(changes).toEqual(expected.toSorted((a, b) => a.sequence - b.sequence))
      expect(context.log.metrics.waitingReaders).toBe(0)
    }),
    { numRuns: runs },
  )
})

async function submitThree({ jobs, submit }: TestStore): Promise<JobRecord[]> {
  const three = jobs.many(3)
  await submit(...three)
  return three.map(({ record }) => record)
}

/** Does everything, ends every job, and answers what the last attempt of each has said. */
async function act(log: JobEventLog, records: readonly JobRecord[], actions: readonly Action[]) {
  const said = records.map(() => ({
    text: '',
    values: [] as unknown[],
    attempt: 1,
    previews: { shown: [] as number[], committed: [] as number[], dropped: [] as number[] },
  }))
  const changes = records.map((record) => start(log, record, 1))
  for (const action of actions) {
    if (action.type === 'tick') await new Promise((resolve) => setImmediate(resolve))
    else if (action.type === 'commit') await Promise.all(changes)
    else {
      const record = records[action.job] as JobRecord
      const heard = said[action.job] as (typeof said)[number]
      if (action.type === 'text') {
        log.text(record, 0, action.text)
        heard.text += action.text
      } else if (action.type === 'values') {
        const values = Array.from({ length: action.count }, (_, index) => heard.values.length + index)
        log.values(record, values)
        heard.values.push(...values)
      } else if (action.type === 'step') log.step(record, 0, heard.text.length, 10_000)
      else if (action.type === 'preview') preview(log, record, action.item, heard.previews)
      else {
        heard.attempt++
        heard.text = ''
        heard.values = []
        changes.push(requeue(log, record), start(log, record, heard.attempt))
      }
    }
  }
  changes.push(...records.map((record) => log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {})))
  await Promise.all(changes)
  for (const { previews } of said) {
    const { shown, committed, dropped } = previews
    expect([...committed, ...dropped].toSorted((a, b) => a - b)).toEqual(shown)
  }
  return said
}

let nextArtifactId = 1

function preview(
  log: JobEventLog,
  record: JobRecord,
  item: number,
  heard: { readonly shown: number[]; readonly committed: number[]; readonly dropped: number[] },
): void {
  const id = nextArtifactId++ as ArtifactId
  heard.shown.push(id)
  log.preview(record, item, id, artifactRecord({ id, jobId: record.id }), (end) => heard[end].push(id))
}

function start(log: JobEventLog, record: JobRecord, attempt: number): Promise<void> {
  return log.changeState(record, { kind: 'started', deviceId }, 'RUNNING', { attempt })
}

function requeue(log: JobEventLog, record: JobRecord): Promise<void> {
  return log.changeState(record, { kind: 'requeued', cause: 'worker_lost', failure, fromStep: 0 }, 'QUEUED', {})
}

/** Reads to the end, hanging up after every `patience` events and coming back with the last cursor. */
async function readWithBreaks(log: JobEventLog, jobId: JobId, patience: number): Promise<JobEvent[]> {
  const events: JobEvent[] = []
  for (;;) {
    const more = await take(log.events(jobId, events.at(-1)?.sequence ?? null), patience)
    events.push(...more)
    if (more.length < patience || isTerminal(more.at(-1)?.to ?? 'QUEUED')) return events
  }
}

async function allStored({ store }: TestStore, jobId: JobId): Promise<JobEvent[]> {
  const events: JobEvent[] = []
  for (;;) {
    const page = await store.readEvents(jobId, events.at(-1)?.sequence ?? 0, 7)
    if (page.length === 0) return events
    events.push(...page)
  }
}

/** Everything is there but previews that a newer one of their picture follows. */
function expectSubset(events: readonly JobEvent[], stored: readonly JobEvent[]): void {
  const seen = new Set(events.map(({ sequence }) => sequence))
  expect(events).toEqual(stored.filter(({ sequence }) => seen.has(sequence)))
  for (const [place, { sequence, body }] of stored.entries()) {
    if (seen.has(sequence)) continue
    const isFollowed = stored
      .slice(place + 1)
      .some((later) => later.body.kind === 'preview' && body.kind === 'preview' && later.body.item === body.item)
    expect(isFollowed, `${body.kind} ${sequence} is missing`).toBe(true)
  }
}

function previewsOf(events: readonly JobEvent[]): number[] {
  return events.flatMap(({ body }) => (body.kind === 'preview' ? [body.artifactId] : []))
}

/** Numbers rise, states follow each other, and the final one is the last event. */
function expectOneLog(events: readonly JobEvent[]): void {
  expectRising(events)
  const changes = events.filter(({ to }) => to !== null)
  expect(changes.map(({ from }) => from)).toEqual([null, ...changes.slice(0, -1).map(({ to }) => to)])
  expect(events.findIndex(({ to }) => to !== null && isTerminal(to))).toBe(events.length - 1)
}

function expectRising(events: readonly JobEvent[]): void {
  const sequences = events.map(({ sequence }) => sequence)
  expect(sequences).toEqual([...new Set(sequences)].toSorted((a, b) => a - b))
}

/** Of the last attempt, put together as the schema tells clients to. */
function textOf(events: readonly JobEvent[]): string {
  let text = ''
  for (const { body } of ofLastAttempt(events)) if (body.kind === 'text') text = text.slice(0, body.offset) + body.text
  return text
}

function valuesOf(events: readonly JobEvent[]): unknown[] {
  return ofLastAttempt(events).flatMap(({ body }) => (body.kind === 'values' ? body.values : []))
}

function ofLastAttempt(events: readonly JobEvent[]): readonly JobEvent[] {
  return events.slice(events.findLastIndex(({ body }) => body.kind === 'requeued') + 1)
}
