import { expect, test } from 'vitest'
import { ask } from '../../support/ask-schema.ts'
import { FakeApp, textModel } from '../../support/fake-app.ts'

async function appWithJobs(count: number): Promise<FakeApp> {
  const app = new FakeApp()
  await app.submitJobs(
    Array.from({ length: count }, () => ({ model: textModel.name, task: { generateText: { prompt: 'Once' } } })),
    'list',
  )
  return app
}

interface Jobs {
  readonly nodes: readonly { readonly id: string }[]
  readonly pageInfo: {
    readonly hasNextPage: boolean
    readonly hasPreviousPage: boolean
    readonly endCursor: string | null
  }
}
const query =
  'query($first: Int, $after: String) { jobs(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } } }'

async function readJobs(app: FakeApp, variables: Record<string, unknown>): Promise<Jobs> {
  const { data, errors } = await ask(app, query, variables)
  expect(errors).toBeUndefined()
  return data!['jobs'] as Jobs
}

test('pages follow each other without gap or repetition, newest first', async () => {
  const app = await appWithJobs(7)
  const seen: string[] = []
  let after: string | null = null
  for (const size of [3, 3, 1]) {
    const page: Jobs = await readJobs(app, { first: 3, after })
    expect(page.nodes).toHaveLength(size)
    expect(page.pageInfo.hasPreviousPage).toBe(after !== null)
    seen.push(...page.nodes.map(({ id }) => id))
    after = page.pageInfo.endCursor
    expect(page.pageInfo.hasNextPage).toBe(seen.length < 7)
  }
  expect(seen.map((id) => Buffer.from(id, 'base64url').toString())).toEqual(
    [7, 6, 5, 4, 3, 2, 1].map((id) => `Job:${id}`),
  )
})

test('a row that arrives between two pages does not shift the second', async () => {
  const app = await appWithJobs(4)
  const first = await readJobs(app, { first: 2 })
  await app.submitJobs([{ model: textModel.name, task: { generateText: { prompt: 'Late' } } }], 'single')
  const second = await readJobs(app, { first: 2, after: first.pageInfo.endCursor })
  expect(second.nodes.map(({ id }) => Buffer.from(id, 'base64url').toString())).toEqual(['Job:2', 'Job:1'])
})

test('20 rows by default, 100 at most, none when none are asked for', async () => {
  const app = await appWithJobs(120)
  expect((await readJobs(app, {})).nodes).toHaveLength(20)
  expect((await readJobs(app, { first: null })).nodes).toHaveLength(20)
  expect((await readJobs(app, { first: 5000 })).nodes).toHaveLength(100)
  expect(await readJobs(app, { first: 0 })).toMatchObject({
    nodes: [],
    pageInfo: { hasNextPage: true, endCursor: null },
  })
})

test('an empty list has an empty page', async () => {
  expect(await readJobs(new FakeApp(), {})).toEqual({
    nodes: [],
    pageInfo: { hasNextPage: false, hasPreviousPage: false, endCursor: null },
  })
})

test.for([
  ['first', { first: -1 }],
  ['after', { after: 'garbage' }],
  ['after', { after: '' }],
])('a wrong %s is BAD_USER_INPUT naming it', async ([argument, variables]) => {
  const { data, errors } = await ask(await appWithJobs(1), query, variables as Record<string, unknown>)
  expect(data).toEqual({ jobs: null })
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument } }])
})

test("a cursor of another list is refused, so is a node's id", async () => {
  const app = await appWithJobs(1)
  const { data } = await ask(app, '{ models { pageInfo { endCursor } } jobs { nodes { id } } }')
  const { models, jobs } = data as unknown as { models: Jobs; jobs: Jobs }
  for (const after of [models.pageInfo.endCursor, jobs.nodes[0]!.id]) {
    expect((await ask(app, query, { after })).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  }
})

test('one wrong field does not hide its neighbours', async () => {
  const { data, errors } = await ask(await appWithJobs(1), '{ jobs(first: -1) { nodes { id } } server { version } }')
  expect(data).toEqual({ jobs: null, server: { version: '0.1.0' } })
  expect(errors).toHaveLength(1)
})

test('totalCount is counted only when it is selected', async () => {
  const app = await appWithJobs(3)
  await ask(app, '{ jobs { nodes { id } } }')
  expect(app.reads.count).toBe(0)
  expect((await ask(app, '{ jobs { totalCount } }')).data).toEqual({ jobs: { totalCount: 3 } })
  expect(app.reads.count).toBe(1)
})

test('a page of jobs reads each model once', async () => {
  const app = await appWithJobs(50)
  await ask(app, '{ jobs(first: 50) { nodes { model { name } modelVersion { version } } } }')
  expect(app.reads).toMatchObject({ model: 1, version: 1 })
})

test('a filter narrows; what nobody knows gives an empty page, what is no id an error', async () => {
  const app = await appWithJobs(2)
  const count = async (filter: object) =>
    (await ask(app, 'query($filter: JobFilter) { jobs(filter: $filter) { totalCount nodes { id } } }', { filter })).data
  expect(await count({ model: textModel.name })).toMatchObject({ jobs: { totalCount: 2 } })
  expect(await count({ states: ['RUNNING'] })).toEqual({ jobs: { totalCount: 0, nodes: [] } })
  expect(await count({ model: 'nobody' })).toEqual({ jobs: { totalCount: 0, nodes: [] } })
  expect(await count({ task: 'paintHouse' })).toEqual({ jobs: { totalCount: 0, nodes: [] } })
  expect(await count({ task: 'constructor' })).toEqual({ jobs: { totalCount: 0, nodes: [] } })
  expect(await count({ model: '' })).toEqual({ jobs: { totalCount: 0, nodes: [] } })
  expect(await count({ task: '' })).toEqual({ jobs: { totalCount: 0, nodes: [] } })
  for (const filter of [{ sessionId: 'garbage' }, { sessionId: '' }, { model: `${textModel.name}@111111111111` }]) {
    const { errors } = await ask(app, 'query($filter: JobFilter) { jobs(filter: $filter) { totalCount } }', { filter })
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  }
})

test('jobs of a model and of a session stay within it, whatever the filter says', async () => {
  const app = await appWithJobs(2)
  const jobs = async (model: string) => {
    const { data } = await ask(
      app,
      'query($model: String!) { model(name: "embedder") { jobs(filter: { model: $model }) { totalCount } } }',
      { model },
    )
    return data
  }
  expect(await jobs('embedder')).toEqual({ model: { jobs: { totalCount: 0 } } })
  expect(await jobs(textModel.name)).toEqual({ model: { jobs: { totalCount: 0 } } })
})

test('an empty device id is refused, not taken for none', async () => {
  const { errors } = await ask(new FakeApp(), '{ models(filter: { deviceId: "" }) { totalCount } }')
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument: 'filter.deviceId' } }])
})
