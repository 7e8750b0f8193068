import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { errorFields, type MutationError, noop, submit, submitAll, trySubmit } from '../support/submissions.ts'
import { until } from '../support/until.ts'

interface Session {
  readonly id: string
  readonly name: string | null
  readonly state: 'OPEN' | 'CLOSED'
  readonly priorityClass: string
  readonly weight: number
  readonly model: { readonly name: string } | null
  readonly createdAt: string
  readonly lastUsedAt: string
  readonly closedAt: string | null
}
type SessionAnswer = { readonly session?: Session } & Partial<MutationError>
const sessionFields = 'id name state priorityClass weight model { name } createdAt lastUsedAt closedAt'

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

async function open(input: Record<string, unknown> = {}): Promise<SessionAnswer> {
  const mutation = `mutation ($input: OpenSessionInput!) { openSession(input: $input) { ... on OpenSessionSuccess { session { ${sessionFields} } } ${errorFields} } }`
  return (await hearth.ask<{ openSession: SessionAnswer }>(mutation, { input })).openSession
}
async function close(id: string): Promise<SessionAnswer> {
  const mutation = `mutation ($id: ID!) { closeSession(id: $id) { ... on CloseSessionSuccess { session { ${sessionFields} } } ${errorFields} } }`
  return (await hearth.ask<{ closeSession: SessionAnswer }>(mutation, { id })).closeSession
}
async function classOf(jobId: string): Promise<string> {
  const { job } = await hearth.ask<{ job: { priorityClass: string } }>(
    'query ($id: ID!) { job(id: $id) { priorityClass } }',
    { id: jobId },
  )
  return job.priorityClass
}

test('a session is opened with what was asked, or the defaults', async () => {
  expect((await open()).session).toMatchObject({
    name: null,
    state: 'OPEN',
    priorityClass: 'INTERACTIVE',
    weight: 1,
    model: null,
    closedAt: null,
  })
  const asked = { name: 'Studio', priorityClass: 'BATCH', weight: 2.5, model: 'all-minilm-l6-v2' }
  const { session } = await open(asked)
  expect(session).toMatchObject({ ...asked, model: { name: 'all-minilm-l6-v2' } })
  const { node } = await hearth.ask<{ node: Session }>(
    `query ($id: ID!) { node(id: $id) { ... on Session { ${sessionFields} } } }`,
    { id: session!.id },
  )
  expect(node).toEqual(session)
})

test('a job takes its class from itself, else from its session, else it is interactive', async () => {
  const sessionId = (await open({ priorityClass: 'BATCH' })).session!.id
  expect(await classOf(await submit(hearth, noop({}, { sessionId })))).toBe('BATCH')
  expect(await classOf(await submit(hearth, noop({}, { sessionId, priorityClass: 'INTERACTIVE' })))).toBe('INTERACTIVE')
  expect(await classOf(await submit(hearth, noop()))).toBe('INTERACTIVE')
})

test('the jobs of a session are its own', async () => {
  const mine = (await open({ name: 'mine' })).session!.id
  const other = (await open({ name: 'other' })).session!.id
  const ids = await submitAll(
    hearth,
    [1, 2, 3].map((value) => noop({ value }, { sessionId: mine })),
  )
  await submit(hearth, noop({}, { sessionId: other }))
  const query = `query ($id: ID!) { node(id: $id) { ... on Session { jobs { totalCount nodes { id session { id name } } } } } jobs(filter: { sessionId: $id }) { totalCount } }`
  const { node, jobs } = await hearth.ask<{
    node: { jobs: { totalCount: number; nodes: { id: string; session: unknown }[] } }
    jobs: { totalCount: number }
  }>(query, { id: mine })
  expect(node.jobs.nodes.map(({ id }) => id)).toEqual(ids.toReversed())
  expect(node.jobs.nodes[0]?.session).toEqual({ id: mine, name: 'mine' })
  expect([node.jobs.totalCount, jobs.totalCount]).toEqual([3, 3])
})

test('a closed session takes no new jobs, and closing it again succeeds', async () => {
  const { id } = (await open()).session!
  const closed = (await close(id)).session
  expect(closed).toMatchObject({ id, state: 'CLOSED', closedAt: expect.any(String) as string })
  expect(await trySubmit(hearth, noop({}, { sessionId: id }))).toMatchObject({ __typename: 'ConflictError' })
  expect((await close(id)).session).toMatchObject({ state: 'CLOSED', closedAt: closed?.closedAt })
})

test('closing a session leaves its jobs running', async () => {
  const { id } = (await open()).session!
  const log = watch(hearth, await submit(hearth, noop({ steps: 50, stepMs: 10 }, { sessionId: id })))
  await log.event('JobStarted')
  await close(id)
  expect((await log.final()).__typename).toBe('JobSucceeded')
})

test('a session that nobody used for its idle time is closed', async () => {
  const { id } = (await open({ idleTimeoutSeconds: 1 })).session!
  const state = `query ($id: ID!) { node(id: $id) { ... on Session { state } } }`
  await until(
    'the session is closed',
    async () => (await hearth.ask<{ node: Session }>(state, { id })).node.state === 'CLOSED',
    30_000,
  )
})

test('a session is used by its submissions', async () => {
  const session = (await open()).session!
  await submit(hearth, noop({}, { sessionId: session.id }))
  const { node } = await hearth.ask<{ node: Session }>(
    `query ($id: ID!) { node(id: $id) { ... on Session { ${sessionFields} } } }`,
    { id: session.id },
  )
  expect(Date.parse(node.lastUsedAt)).toBeGreaterThanOrEqual(Date.parse(session.lastUsedAt))
})

test('sessions are listed newest first and by state', async () => {
  const first = (await open({ name: 'first' })).session!.id
  const second = (await open({ name: 'second' })).session!.id
  await close(first)
  const list = async (states: readonly string[]) =>
    (
      await hearth.ask<{ sessions: { nodes: Session[] } }>(
        `query ($states: [SessionState!]) { sessions(first: 100, filter: { states: $states }) { nodes { id } } }`,
        { states },
      )
    ).sessions.nodes.map(({ id }) => id)
  expect((await list(['OPEN', 'CLOSED'])).slice(0, 2)).toEqual([second, first])
  expect(await list(['OPEN'])).not.toContain(first)
  expect(await list(['CLOSED'])).toContain(first)
})

test('what is wrong with a session is told all at once, with the paths of the fields', async () => {
  const answer = await open({ name: '', weight: 0, idleTimeoutSeconds: -1 })
  expect(answer).toMatchObject({ __typename: 'InvalidInputError' })
  expect(answer.fields?.map(({ path }) => path).sort()).toEqual(['idleTimeoutSeconds', 'name', 'weight'])
})

test('a session of an unknown model, and an unknown session, are not found', async () => {
  expect(await open({ model: 'nowhere' })).toMatchObject({
    __typename: 'NotFoundError',
    kind: 'Model',
    reference: 'nowhere',
  })
  expect(await close('nonsense')).toMatchObject({ __typename: 'NotFoundError', kind: 'Session', reference: 'nonsense' })
})
