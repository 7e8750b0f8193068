import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { embeddings, noop, submit, submitAll } from '../support/submissions.ts'

interface Page {
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly id: string } }[]
  readonly nodes: readonly { readonly id: string }[]
  readonly pageInfo: {
    readonly hasNextPage: boolean
    readonly hasPreviousPage: boolean
    readonly startCursor: string | null
    readonly endCursor: string | null
  }
  readonly totalCount: number
}
const pageFields =
  'edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount'
const jobsQuery = `query ($first: Int, $after: String, $filter: JobFilter) { jobs(first: $first, after: $after, filter: $filter) { ${pageFields} } }`
type PageRequest = Readonly<{ first?: number | null; after?: string | null; filter?: object }>

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

async function jobs(request: PageRequest): Promise<Page> {
  return (await hearth.ask<{ jobs: Page }>(jobsQuery, request)).jobs
}
async function codesOf(query: string, variables: Record<string, unknown> = {}): Promise<unknown[]> {
  const { errors = [] } = await hearth.query(query, variables)
  return errors.map(({ extensions }) => extensions?.['code'])
}
async function newSession(): Promise<string> {
  const { openSession } = await hearth.ask<{ openSession: { session: { id: string } } }>(
    'mutation { openSession(input: {}) { ... on OpenSessionSuccess { session { id } } } }',
  )
  return openSession.session.id
}
const many = (count: number, rest: Record<string, unknown> = {}) =>
  submitAll(
    hearth,
    Array.from({ length: count }, (_, value) => noop({ value }, rest)),
  )

test('pages go from the newest to the oldest without a gap or a repetition, while new jobs arrive', async () => {
  const sessionId = await newSession()
  const old = await many(25, { sessionId })
  const seen: string[] = []
  let after: string | null = null
  do {
    const page: Page = await jobs({ first: 7, after, filter: { sessionId } })
    expect(page.nodes).toEqual(page.edges.map(({ node }) => node))
    seen.push(...page.nodes.map(({ id }) => id))
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
    await many(3, { sessionId })
  } while (after !== null)
  expect(seen).toEqual(old.toReversed())
})

test('a page knows its neighbours, its cursors and the count of everything', async () => {
  const sessionId = await newSession()
  await many(5, { sessionId })
  const first = await jobs({ first: 3, filter: { sessionId } })
  expect(first).toMatchObject({ totalCount: 5, pageInfo: { hasNextPage: true, hasPreviousPage: false } })
  expect([first.pageInfo.startCursor, first.pageInfo.endCursor]).toEqual([
    first.edges[0]?.cursor,
    first.edges[2]?.cursor,
  ])
  const last = await jobs({ first: 3, after: first.pageInfo.endCursor, filter: { sessionId } })
  expect(last).toMatchObject({ totalCount: 5, pageInfo: { hasNextPage: false, hasPreviousPage: true } })
  expect(last.edges).toHaveLength(2)
})

test('an empty page has no cursors, and a page of none only counts', async () => {
  const sessionId = await newSession()
  expect(await jobs({ filter: { sessionId } })).toMatchObject({
    edges: [],
    totalCount: 0,
    pageInfo: { startCursor: null, endCursor: null, hasNextPage: false },
  })
  await many(2, { sessionId })
  expect(await jobs({ first: 0, filter: { sessionId } })).toMatchObject({ edges: [], totalCount: 2 })
})

test('a page has 20 rows unless asked otherwise, and never more than 100', async () => {
  const sessionId = await newSession()
  await many(110, { sessionId })
  expect((await jobs({ first: null, filter: { sessionId } })).nodes).toHaveLength(20)
  expect((await jobs({ first: 1000, filter: { sessionId } })).nodes).toHaveLength(100)
})

test('jobs are found by state, class, model, task and age', async () => {
  const sessionId = await newSession()
  const succeeded = await submit(hearth, noop({}, { sessionId, priorityClass: 'BATCH' }))
  const failed = await submit(hearth, noop({ failAtStep: 1 }, { sessionId }))
  const embedding = await submit(hearth, embeddings(['Found.'], { sessionId }))
  for (const id of [succeeded, failed, embedding]) await watch(hearth, id).final()
  const found = async (filter: object) => (await jobs({ filter: { sessionId, ...filter } })).nodes.map(({ id }) => id)
  expect(await found({ states: ['FAILED'] })).toEqual([failed])
  expect(await found({ states: ['FAILED', 'SUCCEEDED'] })).toEqual([embedding, failed, succeeded])
  expect(await found({ states: ['QUEUED'] })).toEqual([])
  expect(await found({ priorityClass: 'BATCH' })).toEqual([succeeded])
  expect(await found({ model: 'noop' })).toEqual([failed, succeeded])
  expect(await found({ task: 'embedText' })).toEqual([embedding])
  const { node } = await hearth.ask<{ node: { createdAt: string } }>(
    'query ($id: ID!) { node(id: $id) { ... on Job { createdAt } } }',
    { id: embedding },
  )
  expect(await found({ createdAfter: node.createdAt })).toEqual([])
  expect(
    await found({ createdAfter: '2020-01-01T00:00:00Z', createdBefore: new Date(Date.now() + 1000).toISOString() }),
  ).toHaveLength(3)
  expect(await found({ createdBefore: '2020-01-01T00:00:00Z' })).toEqual([])
})

test('a model and a session page through their own jobs', async () => {
  const sessionId = await newSession()
  const ids = await many(3, { sessionId })
  const query = `query ($id: ID!) { model(name: "noop") { jobs(first: 2) { ${pageFields} } } node(id: $id) { ... on Session { jobs(first: 2) { ${pageFields} } } } }`
  const { model, node } = await hearth.ask<{ model: { jobs: Page }; node: { jobs: Page } }>(query, { id: sessionId })
  expect(node.jobs.nodes.map(({ id }) => id)).toEqual([ids[2], ids[1]])
  expect(model.jobs.nodes).toEqual(node.jobs.nodes)
  expect(node.jobs.totalCount).toBe(3)
  expect(model.jobs.totalCount).toBeGreaterThan(3)
})

test('a job pages through its events, newest first', async () => {
  const id = await submit(hearth, noop({ steps: 4, items: 3 }))
  const log = watch(hearth, id)
  await log.final()
  const seen: EventPage['edges'][number]['node'][] = []
  for (let page = await eventPage(id, null); ; page = await eventPage(id, page.pageInfo.endCursor)) {
    expect(page.totalCount).toBe(log.events.length)
    seen.push(...page.edges.map(({ node }) => node))
    if (!page.pageInfo.hasNextPage) break
  }
  expect(seen).toEqual(log.events.map(({ __typename, sequence }) => ({ __typename, sequence })).toReversed())
})

interface EventPage {
  readonly edges: readonly { readonly node: { readonly __typename: string; readonly sequence: number } }[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string }
  readonly totalCount: number
}
async function eventPage(id: string, after: string | null): Promise<EventPage> {
  const query = `query ($id: ID!, $after: String) { job(id: $id) { events(first: 2, after: $after) {
    edges { node { __typename sequence } } pageInfo { hasNextPage endCursor } totalCount } } }`
  return (await hearth.ask<{ job: { events: EventPage } }>(query, { id, after })).job.events
}

test('models are listed by task', async () => {
  const { models } = await hearth.ask<{ models: { nodes: { name: string }[]; totalCount: number } }>(
    '{ models(filter: { task: "generateText" }) { nodes { name } totalCount } }',
  )
  expect(models).toEqual({ nodes: [{ name: 'smollm2-135m-instruct' }], totalCount: 1 })
})

test('nodes answers in the order asked, with null for what is not there', async () => {
  const [first, second] = await many(2)
  const { models } = await hearth.ask<{ models: { nodes: { id: string }[] } }>('{ models { nodes { id } } }')
  const model = models.nodes[0]!.id
  const asked = [second, 'nonsense', model, first, '']
  const { nodes } = await hearth.ask<{ nodes: unknown[] }>(
    'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }',
    { ids: asked },
  )
  expect(nodes).toEqual([
    { __typename: 'Job', id: second },
    null,
    { __typename: 'Model', id: model },
    { __typename: 'Job', id: first },
    null,
  ])
})

test('an id means the same thing for ever, whatever asks for it', async () => {
  const [id] = await many(1)
  const { node, job } = await hearth.ask<{ node: unknown; job: unknown }>(
    'query ($id: ID!) { node(id: $id) { id ... on Job { createdAt } } job(id: $id) { id createdAt } }',
    { id },
  )
  expect(node).toEqual(job)
})

test('a cursor of another list, or of none, is refused, and so is a negative page', async () => {
  const { sessions } = await hearth.ask<{ sessions: Page }>(`{ sessions(first: 1) { ${pageFields} } }`)
  for (const after of ['nonsense', '', sessions.pageInfo.endCursor]) {
    expect(await codesOf(jobsQuery, { after })).toEqual(['BAD_USER_INPUT'])
  }
  expect(await codesOf(jobsQuery, { first: -1 })).toEqual(['BAD_USER_INPUT'])
})

test('one failing field leaves its neighbours', async () => {
  const { data, errors } = await hearth.query<Record<string, unknown>>(
    '{ bad: jobs(after: "nonsense") { totalCount } good: queue { limit } }',
  )
  expect(data).toEqual({ bad: null, good: { limit: 100_000 } })
  expect(errors).toHaveLength(1)
})
