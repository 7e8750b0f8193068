import { expect, test } from 'vitest'
import { encodeId, type NodeName, nodeNames } from '../../../schema/ids.ts'
import { ask } from '../../support/ask-schema.ts'
import { FakeApp, textModel } from '../../support/fake-app.ts'

async function inhabited(): Promise<FakeApp> {
  const app = new FakeApp()
  await app.openSession({ priorityClass: 'batch', weight: 1, idleTimeoutSeconds: 10 })
  await app.submitJobs([{ model: textModel.name, task: { generateText: { prompt: 'Once' } } }], 'single')
  return app
}
const firstId = (name: NodeName) => encodeId(name, 1)

test.for(nodeNames)('node finds a %s by the id that it gives', async (name) => {
  const { data, errors } = await ask(await inhabited(), 'query($id: ID!) { node(id: $id) { __typename id } }', {
    id: firstId(name),
  })
  expect(errors).toBeUndefined()
  expect(data).toEqual({ node: { __typename: name, id: firstId(name) } })
})

test('nodes keeps the order, with null for what is unknown or no id', async () => {
  const ids = [firstId('Device'), 'garbage', encodeId('Job', 99 as never), firstId('Job'), firstId('Device')]
  const { data } = await ask(await inhabited(), 'query($ids: [ID!]!) { nodes(ids: $ids) { __typename } }', { ids })
  expect(data).toEqual({
    nodes: [{ __typename: 'Device' }, null, null, { __typename: 'Job' }, { __typename: 'Device' }],
  })
})

test('more than 100 nodes at once are refused', async () => {
  const ids = Array.from({ length: 101 }, () => firstId('Job'))
  const { errors } = await ask(await inhabited(), 'query($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids })
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument: 'ids' } }])
})

test('job wants exactly one of id and key; a bad id is null', async () => {
  const app = await inhabited()
  expect((await ask(app, '{ job(id: "garbage") { id } }')).data).toEqual({ job: null })
  expect((await ask(app, `{ job(id: "${firstId('Device')}") { id } }`)).data).toEqual({ job: null })
  expect((await ask(app, '{ job(idempotencyKey: "none") { id } }')).data).toEqual({ job: null })
  for (const args of ['', `(id: "${firstId('Job')}", idempotencyKey: "k")`]) {
    expect((await ask(app, `{ job${args} { id } }`)).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  }
})

test('every field of every noun can be read', async () => {
  const app = await inhabited()
  const [job] = app.allJobs
  app.tell(job!, ['Once ', 'upon'])
  const residency = 'id tier device { id } sha256 components { id } state sizeBytes loadedBytes loadedAt lastUsedAt'
  const version = `id version sha256 state license defaults examplePrompts components { id name format sizeBytes sha256 dependsOn version { id } residencies { id } } sizeBytes peakBytes residencies { ${residency} } registeredAt`
  const { data, errors } = await ask(
    app,
    `{
      devices { id name kind vendor state drain source workers { id } residencies { id }
        memory { totalBytes limitBytes reservedBytes allocatedBytes availableBytes externalBytes fragmentation }
        capabilities { coreCount precisions architecture driverVersion details }
        allocations { id device { id } purpose state sizeBytes predictedBytes measuredBytes job { id } residency { id } worker { id } createdAt } }
      workers { id device { id } engine state pid startedAt restartCount requestsServed memoryBytes runningJobs { id } }
      models { totalCount edges { cursor node { id name task current { ${version} } versions { totalCount nodes { model { id } } } components { id } peakBytes residencies { id } } } }
      sessions { nodes { id name state priorityClass weight model { id } jobs { totalCount } createdAt lastUsedAt closedAt } }
      jobs { changesCursor nodes { id state task request model { id } modelVersion { id } session { id } priorityClass device { id } progress { done total fraction unit }
        queuePosition estimatedStartAt waitReason waitCode pauseCause allocations { id } attemptCount retryOf { id } error { code message retryable }
        timings { queueMs loadMs runMs pausedMs postprocessMs totalMs timeToFirstPartialMs }
        output { ... on TextOutput { text finishReason promptTokens completionTokens } }
        events { totalCount nodes { __typename cursor attempt sequence at jobId job { id } } } createdAt startedAt finishedAt deadline } }
      queue { at limit lanes { priorityClass queued running paused oldestQueuedMs estimatedDrainMs } models { model { id } queued oldestQueuedMs estimatedStartAt } next { id } }
      server { version now startedAt ready recoveredJobs policies { name } limits { name value description } storage { databaseBytes walBytes } }
    }`,
  )
  expect(errors).toBeUndefined()
  expect(data).toMatchSnapshot()
})

test('the four answers about waiting walk the queue once', async () => {
  const app = await inhabited()
  const { data } = await ask(app, '{ jobs { nodes { queuePosition waitCode waitReason estimatedStartAt } } }')
  expect(data).toEqual({
    jobs: {
      nodes: [
        {
          queuePosition: 3,
          waitCode: 'BEHIND_OTHERS',
          waitReason: 'Two jobs are ahead.',
          estimatedStartAt: '2026-11-23T00:00:01.000Z',
        },
      ],
    },
  })
  expect(app.reads.waiting).toBe(1)
})
