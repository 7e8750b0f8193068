import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { serial, withModels } from '../support/models.ts'
import { embeddings, type NoopParameters, noop, submit, submitAll } from '../support/submissions.ts'
import { until } from '../support/until.ts'

interface Waiting {
  readonly id: string
  readonly state: string
  readonly queuePosition: number | null
  readonly waitCode: string | null
  readonly waitReason: string | null
  readonly estimatedStartAt: string | null
  readonly startedAt: string | null
  readonly finishedAt: string | null
}
interface Lane {
  readonly priorityClass: string
  readonly queued: number
  readonly running: number
  readonly paused: number
  readonly oldestQueuedMs: number | null
}
interface Queue {
  readonly limit: number
  readonly lanes: readonly Lane[]
  readonly models: readonly {
    readonly model: { readonly name: string }
    readonly queued: number
    readonly oldestQueuedMs: number
  }[]
  readonly next: readonly { readonly id: string }[]
}

/** Long enough that the next job is at the worker before this one has ended. */
const brief = { steps: 2, stepMs: 15 }

const waitingFields = 'id state queuePosition waitCode waitReason estimatedStartAt startedAt finishedAt'

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth({ environment: await withModels(serial) })
})
afterAll(() => hearth.stop())

const slow = (parameters: NoopParameters, rest: Record<string, unknown> = {}) =>
  noop(parameters, { model: 'serial', ...rest })

async function look(ids: readonly string[]): Promise<Waiting[]> {
  return (
    await hearth.ask<{ nodes: Waiting[] }>(
      `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Job { ${waitingFields} } } }`,
      { ids },
    )
  ).nodes
}
async function queue(): Promise<Queue> {
  return (
    await hearth.ask<{ queue: Queue }>(
      '{ queue { limit lanes { priorityClass queued running paused oldestQueuedMs } models { model { name } queued oldestQueuedMs } next(first: 100) { id } } }',
    )
  ).queue
}
async function cancelAll(ids: readonly string[]): Promise<void> {
  for (const id of ids) await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id })
  for (const id of ids) await watch(hearth, id).final()
}
async function blocked(): Promise<string> {
  const blocker = await submit(hearth, slow({ steps: 100_000, stepMs: 5 }))
  await watch(hearth, blocker).event('JobStarted')
  return blocker
}

test('jobs that wait know their place, and why they wait; jobs that run wait for nothing', async () => {
  const blocker = await blocked()
  const ids = await submitAll(
    hearth,
    Array.from({ length: 6 }, (_, value) => slow({ value })),
  )
  const jobs = await look(ids)
  expect(jobs.map(({ state, queuePosition }) => [state, queuePosition])).toEqual(
    ids.map((_, index) => ['QUEUED', index + 1]),
  )
  for (const { waitCode, waitReason } of jobs) {
    expect(waitCode).toBe('BEHIND_OTHERS')
    expect(waitReason).toMatch(/\w/)
  }
  expect((await look([blocker]))[0]).toMatchObject({
    state: 'RUNNING',
    queuePosition: null,
    waitCode: null,
    waitReason: null,
    estimatedStartAt: null,
  })
  await cancelAll([blocker, ...ids])
})

test('interactive jobs go before batch jobs, whoever came first', async () => {
  const blocker = await blocked()
  const batch = await submitAll(
    hearth,
    Array.from({ length: 5 }, (_, value) => slow({ ...brief, value }, { priorityClass: 'BATCH' })),
  )
  const interactive = await submitAll(
    hearth,
    Array.from({ length: 5 }, (_, value) => slow({ ...brief, value })),
  )
  expect((await look([...interactive, ...batch])).map(({ queuePosition }) => queuePosition)).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  ])
  expect((await queue()).next.map(({ id }) => id)).toEqual([...interactive, ...batch])
  await cancelAll([blocker])
  const ends = await Promise.all(
    [...interactive, ...batch].map(async (id) => (await watch(hearth, id).event('JobStarted')).sequence),
  )
  await Promise.all(batch.map((id) => watch(hearth, id).final()))
  expect(ends).toEqual(ends.toSorted((a, b) => a - b))
})

test('the queue counts what waits and what runs, by class and by model', async () => {
  const blocker = await blocked()
  const batch = await submitAll(
    hearth,
    [1, 2, 3].map((value) => slow({ value }, { priorityClass: 'BATCH' })),
  )
  const interactive = await submit(hearth, slow({}))
  const { limit, lanes, models } = await queue()
  expect(limit).toBe(100_000)
  expect(lanes).toMatchObject([
    { priorityClass: 'INTERACTIVE', queued: 1, running: 1, paused: 0 },
    { priorityClass: 'BATCH', queued: 3, running: 0, paused: 0 },
  ])
  expect(models).toMatchObject([{ model: { name: 'serial' }, queued: 4 }])
  expect(lanes[1]!.oldestQueuedMs).toBeGreaterThanOrEqual(0)
  await cancelAll([blocker, interactive, ...batch])
  const empty = await queue()
  expect(empty.lanes.map(({ queued, running, oldestQueuedMs }) => [queued, running, oldestQueuedMs])).toEqual([
    [0, 0, null],
    [0, 0, null],
  ])
  expect([empty.models, empty.next]).toEqual([[], []])
})

test('a job that waits for its model to load says so', async () => {
  await hearth.ask('mutation { unloadModel(input: { model: "all-minilm-l6-v2" }) { __typename } }')
  const id = await submit(hearth, embeddings(['Wait for me.']))
  const seen = new Set<string | null>()
  await until('the job has ended', async () => {
    const [job] = await look([id])
    seen.add(job!.waitCode)
    return job!.finishedAt
  })
  expect(seen).toContain('MODEL_LOADING')
})

test('the expected start of a job is near its real start, once such jobs are known', async () => {
  const taught = await submitAll(
    hearth,
    Array.from({ length: 4 }, () => slow({ steps: 20, stepMs: 10 })),
  )
  for (const id of taught) await watch(hearth, id).final()
  const ids = await submitAll(
    hearth,
    Array.from({ length: 8 }, () => slow({ steps: 20, stepMs: 10 })),
  )
  const submittedAt = Date.now()
  const last = await until('an expected start', async () => {
    const [job] = await look(ids.slice(-1))
    return job!.estimatedStartAt === null ? null : job
  })
  await watch(hearth, last.id).final()
  const [ended] = await look([last.id])
  const waitedMs = Date.parse(ended!.startedAt!) - submittedAt
  const expectedMs = Date.parse(last.estimatedStartAt!) - submittedAt
  expect(waitedMs).toBeGreaterThan(1000)
  expect(Math.abs(expectedMs - waitedMs)).toBeLessThan(waitedMs / 2)
})
