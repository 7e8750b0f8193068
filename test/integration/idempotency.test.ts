import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch, watchByKey } from '../support/job-log.ts'
import {
  type JobInput,
  noop,
  type SubmitAnswer,
  submit,
  submitMutation,
  text,
  trySubmit,
  trySubmitAll,
} from '../support/submissions.ts'
import { askOverWebSocket } from '../support/subscriptions.ts'

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

async function jobCount(): Promise<number> {
  return (await hearth.ask<{ jobs: { totalCount: number } }>('{ jobs(first: 0) { totalCount } }')).jobs.totalCount
}
const keyed = (idempotencyKey: string, value: unknown = 1, rest: Record<string, unknown> = {}) =>
  noop({ value }, { idempotencyKey, ...rest })

test('a hundred submissions at once with one key are one job', async () => {
  const before = await jobCount()
  const input = keyed('parallel')
  const overSocket = async (input: JobInput): Promise<SubmitAnswer> =>
    (await askOverWebSocket<{ submitJob: SubmitAnswer }>(hearth, { query: submitMutation, variables: { input } })).data!
      .submitJob
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => (index % 10 === 0 ? overSocket(input) : trySubmit(hearth, input))),
  )
  expect(new Set(answers.map(({ job }) => job?.id)).size).toBe(1)
  expect(answers[0]?.job?.id).toBeTypeOf('string')
  expect(await jobCount()).toBe(before + 1)
})

test('the same key and input name the same job after it has ended too', async () => {
  const id = await submit(hearth, keyed('ended'))
  await watch(hearth, id).final()
  expect((await trySubmit(hearth, keyed('ended'))).job).toEqual({ id, state: 'SUCCEEDED' })
})

test('the same key with another input is a conflict, and no job', async () => {
  await submit(hearth, keyed('taken', 1))
  const before = await jobCount()
  for (const other of [
    keyed('taken', 2),
    keyed('taken', 1, { priorityClass: 'BATCH' }),
    keyed('taken', 1, { deadline: new Date(Date.now() + 60_000).toISOString() }),
  ]) {
    const answer = await trySubmit(hearth, other)
    expect(answer.__typename).toBe('ConflictError')
    expect(answer.message).toContain('taken')
  }
  expect(await jobCount()).toBe(before)
})

test('two different inputs racing for one key make one job and conflicts', async () => {
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) => trySubmit(hearth, keyed('race', index % 2))),
  )
  const accepted = answers.flatMap(({ job }) => job?.id ?? [])
  expect(new Set(accepted).size).toBe(1)
  expect(accepted).toHaveLength(20)
  expect(answers.filter(({ __typename }) => __typename === 'ConflictError')).toHaveLength(20)
})

test('the order in which the fields of an input were written does not matter, nor does a null', async () => {
  const first = await submit(hearth, {
    model: 'noop',
    idempotencyKey: 'order',
    task: { program: { name: 'noop', parameters: { value: 1, steps: 2 } } },
  })
  const again = await submit(hearth, {
    task: { program: { parameters: { steps: 2, value: 1 }, name: 'noop' } },
    idempotencyKey: 'order',
    model: 'noop',
    deadline: null,
  })
  expect(again).toBe(first)
})

test('a seed that nobody asked for is drawn once for a key', async () => {
  const input = {
    model: 'smollm2-135m-instruct',
    idempotencyKey: 'seedless',
    task: { generateText: { prompt: 'Hi.', maxTokens: 1 } },
  }
  const id = await submit(hearth, input)
  expect(await submit(hearth, input)).toBe(id)
  const without = await submit(hearth, text({ prompt: 'Hi.', maxTokens: 1 }))
  expect(without).not.toBe(id)
})

test('a key repeated inside one submission is one job', async () => {
  const before = await jobCount()
  const { jobs } = await trySubmitAll(hearth, [
    keyed('inside'),
    noop(),
    keyed('inside'),
    keyed('other'),
    keyed('inside'),
  ])
  const ids = jobs!.map(({ id }) => id)
  expect(ids).toHaveLength(5)
  expect([ids[2], ids[4]]).toEqual([ids[0], ids[0]])
  expect(new Set(ids).size).toBe(3)
  expect(await jobCount()).toBe(before + 3)
  expect((await trySubmitAll(hearth, [keyed('other'), keyed('inside')])).jobs!.map(({ id }) => id)).toEqual([
    ids[3],
    ids[0],
  ])
})

test('a key repeated inside one submission with another input refuses all of it', async () => {
  const before = await jobCount()
  const answer = await trySubmitAll(hearth, [noop(), keyed('contradiction', 1), keyed('contradiction', 2)])
  expect(answer.__typename).toBe('ConflictError')
  expect(await jobCount()).toBe(before)
  expect((await hearth.ask<{ job: null }>('{ job(idempotencyKey: "contradiction") { id } }')).job).toBeNull()
})

test('a submission that conflicts with an older job writes none of its jobs', async () => {
  await submit(hearth, keyed('older', 1))
  const before = await jobCount()
  expect((await trySubmitAll(hearth, [noop(), keyed('older', 2), keyed('never written')])).__typename).toBe(
    'ConflictError',
  )
  expect(await jobCount()).toBe(before)
})

test('a job is found and followed by its key', async () => {
  const id = await submit(hearth, keyed('found', 'me'))
  expect((await hearth.ask<{ job: unknown }>('{ job(idempotencyKey: "found") { id } }')).job).toEqual({ id })
  expect((await watchByKey(hearth, 'found').output()).values).toEqual(
    await watch(hearth, id)
      .output()
      .then(({ values }) => values),
  )
})

test('jobs without a key are never taken for each other', async () => {
  const [first, second] = await Promise.all([submit(hearth, noop()), submit(hearth, noop())])
  expect(first).not.toBe(second)
})

test('a resend is the same job, also when it would no longer be accepted', async () => {
  const opened = await hearth.ask<{ openSession: { session: { id: string } } }>(
    'mutation { openSession(input: {}) { ... on OpenSessionSuccess { session { id } } } }',
  )
  const sessionId = opened.openSession.session.id
  const input = keyed('resent', 1, { sessionId })
  const first = await trySubmit(hearth, input)
  await hearth.ask('mutation Close($id: ID!) { closeSession(id: $id) { __typename } }', { id: sessionId })
  expect((await trySubmit(hearth, input)).job?.id).toBe(first.job?.id)
  expect(await trySubmit(hearth, keyed('resent', 2, { sessionId }))).toMatchObject({ __typename: 'ConflictError' })
})

test('a null inside the parameters of a program is not the same as nothing', async () => {
  await trySubmit(hearth, noop({ value: { given: null } }, { idempotencyKey: 'nulls' }))
  const answer = await trySubmit(hearth, noop({ value: {} }, { idempotencyKey: 'nulls' }))
  expect(answer).toMatchObject({ __typename: 'ConflictError' })
})
