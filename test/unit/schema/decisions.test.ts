import { expect, test } from 'vitest'
import { encodeId } from '../../../schema/ids.ts'
import type { DeviceId, JobId } from '../../../src/scheduler/ids.ts'
import { ask, follow } from '../../support/ask-schema.ts'
import { FakeApp, textModel } from '../../support/fake-app.ts'

async function appWithJob(): Promise<FakeApp> {
  const app = new FakeApp()
  await app.submitJobs([{ model: textModel.name, task: { generateText: { prompt: 'Once' } } }], 'single')
  return app
}

const filtered = `query($filter: DecisionFilter) { decisions(filter: $filter) { nodes { kind } totalCount } }`

test('a decision says what it is about, why, and what it beat by how much', async () => {
  const query = `{ decisions(first: 1) { nodes { id at kind reason job { id } model { name } device { name }
    alternatives { summary chosen score device { name } model { name } parts { name value unit } } } } }`
  const { data, errors } = await ask(await appWithJob(), query)
  expect(errors).toBeUndefined()
  expect(data).toMatchObject({
    decisions: {
      nodes: [
        {
          kind: 'EVICT',
          reason: 'Because of least_recently_used.',
          job: null,
          model: { name: textModel.name },
          alternatives: [
            {
              summary: 'alternative 0',
              chosen: true,
              score: 3,
              model: { name: textModel.name },
              parts: [
                { name: 'part 0', value: 3, unit: 'ms' },
                { name: 'part 1', value: 2, unit: 'ms' },
              ],
            },
          ],
        },
      ],
    },
  })
})

test('decisions are asked for by kind, job, model, device and time', async () => {
  const app = await appWithJob()
  const kinds = async (filter: object) => {
    const { data, errors } = await ask(app, filtered, { filter })
    expect(errors).toBeUndefined()
    return (data as { decisions: { nodes: { kind: string }[] } }).decisions.nodes.map(({ kind }) => kind)
  }
  expect(await kinds({})).toEqual(['EVICT', 'LOAD', 'LOAD'])
  expect(await kinds({ kinds: ['EVICT'] })).toEqual(['EVICT'])
  expect(await kinds({ jobId: encodeId('Job', 1 as JobId) })).toEqual(['LOAD'])
  expect(await kinds({ model: 'unknown' })).toEqual([])
  expect(await kinds({ deviceId: encodeId('Device', 2 as DeviceId) })).toEqual([])
  expect(await kinds({ to: '1970-01-01T00:00:00Z' })).toEqual([])
})

test('a filter with the id of something else is refused', async () => {
  const { errors } = await ask(await appWithJob(), filtered, { filter: { jobId: encodeId('Device', 1 as DeviceId) } })
  expect(errors?.[0]?.extensions['code']).toBe('BAD_USER_INPUT')
})

test('a job knows what was decided about it, and a decision is found by its id', async () => {
  const app = await appWithJob()
  const { data } = await ask(app, `{ jobs { nodes { decisions { nodes { id reason } } allocations { releasedAt } } } }`)
  const [job] = (data as { jobs: { nodes: { decisions: { nodes: { id: string; reason: string }[] } }[] } }).jobs.nodes
  expect(job).toMatchObject({ decisions: { nodes: [{ reason: 'Because of jobs_wait.' }] } })
  const { id } = job!.decisions.nodes[0]!
  const found = await ask(app, `query($id: ID!) { node(id: $id) { __typename ... on Decision { kind } } }`, { id })
  expect(found.data).toEqual({ node: { __typename: 'Decision', kind: 'LOAD' } })
})

test('pages of decisions follow each other', async () => {
  const app = await appWithJob()
  const page = `query($after: String) { decisions(first: 2, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } totalCount } }`
  const first = (await ask(app, page)).data as unknown as Page
  expect(first.decisions).toMatchObject({ pageInfo: { hasNextPage: true }, totalCount: 3 })
  const second = (await ask(app, page, { after: first.decisions.pageInfo.endCursor })).data as unknown as Page
  expect(second.decisions.nodes).toHaveLength(1)
})
interface Page {
  readonly decisions: { readonly nodes: readonly object[]; readonly pageInfo: { readonly endCursor: string } }
}

test('nobody waits for decisions about a model that nobody knows', async () => {
  const follows = follow(await appWithJob(), `subscription { decisions(filter: { model: "unknown" }) { kind } }`)
  await expect(follows).rejects.toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] })
})

test('allocations are listed, what was given back among them', async () => {
  const query = `{ allocations(filter: { states: [COMMITTED], purposes: [PAUSED_STATE] }) { nodes { id sizeBytes releasedAt } totalCount } }`
  const { data, errors } = await ask(await appWithJob(), query)
  expect(errors).toBeUndefined()
  expect(data).toMatchObject({ allocations: { nodes: [{ sizeBytes: 4096, releasedAt: null }], totalCount: 1 } })
})
