import { expect, test } from 'vitest'
import { encodeId } from '../../../schema/ids.ts'
import { lostDevice } from '../../../src/app/device-views.ts'
import type { DeviceId } from '../../../src/scheduler/ids.ts'
import type { ArtifactId, JobEventBody } from '../../../src/store/records.ts'
import { ask, follow } from '../../support/ask-schema.ts'
import { FakeApp, textModel } from '../../support/fake-app.ts'

async function appWithJob(key = 'k') {
  const app = new FakeApp()
  await app.submitJobs(
    [{ model: textModel.name, idempotencyKey: key, task: { generateText: { prompt: 'Once' } } }],
    'single',
  )
  return { app, job: app.allJobs[0]! }
}

interface Event {
  readonly __typename: string
  readonly cursor: string
}
async function eventsOf(app: FakeApp, args: string, fields = '__typename cursor'): Promise<Event[]> {
  const events: Event[] = []
  for await (const { data, errors } of await follow(app, `subscription { jobEvents${args} { ${fields} } }`)) {
    expect(errors).toBeUndefined()
    events.push(JSON.parse(JSON.stringify(data!['jobEvents'])) as Event)
  }
  return events
}

test('the log of a job is told from its beginning to its end, and can be continued from any cursor', async () => {
  const { app, job } = await appWithJob()
  app.tell(job, ['Once ', 'upon'])
  const events = await eventsOf(app, '(idempotencyKey: "k")')
  expect(events.map(({ __typename }) => __typename)).toEqual([
    'JobQueued',
    'JobStarted',
    'TextDelta',
    'TextDelta',
    'JobSucceeded',
  ])
  for (const [index, { cursor }] of events.entries()) {
    expect(await eventsOf(app, `(id: "${encodeId('Job', job.id)}", after: "${cursor}")`)).toEqual(
      events.slice(index + 1),
    )
  }
})

test('each kind of event has its own fields', async () => {
  const { app, job } = await appWithJob()
  const failure = { code: 'WORKER_LOST', message: 'It died.', retryable: true } as const
  const bodies: JobEventBody[] = [
    { kind: 'loading', deviceId: 1 as never },
    { kind: 'step', item: 0, step: 2, totalSteps: 5 },
    { kind: 'values', values: [1, { a: 2 }] },
    { kind: 'requeued', cause: 'worker_lost', failure, fromStep: 3 },
    { kind: 'failed', failure },
  ]
  for (const body of bodies) app.say(job, body)
  const events = await eventsOf(
    app,
    '(idempotencyKey: "k")',
    `__typename ... on JobLoading { device { name } } ... on StepCompleted { item step totalSteps } ... on PartialResult { values }
     ... on JobRequeued { error { code } fromStep } ... on JobFailed { error { code message retryable } }`,
  )
  expect(events).toEqual([
    { __typename: 'JobQueued' },
    { __typename: 'JobLoading', device: { name: 'cpu' } },
    { __typename: 'StepCompleted', item: 0, step: 2, totalSteps: 5 },
    { __typename: 'PartialResult', values: [1, { a: 2 }] },
    { __typename: 'JobRequeued', error: { code: 'WORKER_LOST' }, fromStep: 3 },
    { __typename: 'JobFailed', error: failure },
  ])
})

test('a job that ran on a device which is no longer declared still says which', async () => {
  const { app, job } = await appWithJob()
  const deviceId = 99 as DeviceId
  app.lostDevices.push(lostDevice({ id: deviceId, name: 'cpu-b', kind: 'CPU' }))
  job.deviceId = deviceId
  app.say(job, { kind: 'started', deviceId }, 'RUNNING')
  app.say(job, { kind: 'succeeded' }, 'SUCCEEDED')
  const fields = '... on JobStarted { device { id name state memory { totalBytes } } } job { device { state } }'
  const lost = { id: encodeId('Device', deviceId), name: 'cpu-b', state: 'LOST', memory: { totalBytes: 0 } }
  const events = await eventsOf(app, '(idempotencyKey: "k")', fields)
  expect(events[1]).toEqual({ device: lost, job: { device: { state: 'LOST' } } })
  expect((await ask(app, `{ node(id: "${lost.id}") { id } devices { name } }`)).data).toEqual({
    node: { id: lost.id },
    devices: [{ name: 'cpu' }],
  })
})

test('a cancelled job tells how far it came', async () => {
  const { app, job } = await appWithJob()
  app.say(
    job,
    { kind: 'cancelled', progressDone: 3, progressTotal: 12, progressUnit: 'TOKENS', message: 'As asked.' },
    'CANCELLED',
  )
  const events = await eventsOf(
    app,
    '(idempotencyKey: "k")',
    '__typename ... on JobCancelled { message progress { done total fraction unit } }',
  )
  expect(events.at(-1)).toEqual({
    __typename: 'JobCancelled',
    message: 'As asked.',
    progress: { done: 3, total: 12, fraction: 0.25, unit: 'TOKENS' },
  })
})

test('job is the job as it is now, also in an old event', async () => {
  const { app, job } = await appWithJob()
  app.tell(job, ['Once'])
  const events = await eventsOf(app, '(idempotencyKey: "k")', 'job { state }')
  expect(events).toEqual(Array.from({ length: 4 }, () => ({ job: { state: 'SUCCEEDED' } })))
})

test.for([
  ['neither id nor key', '', 'BAD_USER_INPUT'],
  ['both', `(id: "${encodeId('Job', 1 as never)}", idempotencyKey: "k")`, 'BAD_USER_INPUT'],
  ['an unknown key', '(idempotencyKey: "none")', 'NOT_FOUND'],
  ['what is no id', '(id: "garbage")', 'NOT_FOUND'],
  ['an id of another noun', `(id: "${encodeId('Model', 1 as never)}")`, 'NOT_FOUND'],
  ['garbage as a cursor', '(idempotencyKey: "k", after: "garbage")', 'BAD_USER_INPUT'],
  [
    'a cursor from the future',
    `(idempotencyKey: "k", after: "${Buffer.from('cursor.event:99').toString('base64url')}")`,
    'BAD_USER_INPUT',
  ],
])('jobEvents with %s does not begin', async ([, args, code]) => {
  const { app } = await appWithJob()
  const beginning = follow(app, `subscription { jobEvents${args!} { cursor } }`)
  await expect(beginning).rejects.toMatchObject({ errors: [{ extensions: { code } }] })
  expect(app.eventTopic.followerCount).toBe(0)
})

test('jobChanges follows a page without a gap', async () => {
  const { app, job } = await appWithJob()
  const { data } = await ask(app, '{ jobs { changesCursor } }')
  const { changesCursor } = data!['jobs'] as { changesCursor: string }
  const changes = await follow(
    app,
    'subscription($after: String) { jobChanges(after: $after) { from to job { id } } }',
    { after: changesCursor },
  )
  app.tell(job, ['Once'])
  const seen = [await changes.next(), await changes.next()].map(
    ({ value }) => JSON.parse(JSON.stringify(value?.data)) as unknown,
  )
  expect(seen).toEqual([
    { jobChanges: { from: 'QUEUED', to: 'RUNNING', job: { id: encodeId('Job', job.id) } } },
    { jobChanges: { from: 'RUNNING', to: 'SUCCEEDED', job: { id: encodeId('Job', job.id) } } },
  ])
  await changes.return(undefined)
  expect(app.changeTopic.followerCount).toBe(0)
})

test.for([
  ['an event cursor', { after: Buffer.from('cursor.event:1').toString('base64url') }, 'BAD_USER_INPUT'],
  ['a model nobody knows', { filter: { model: 'nobody' } }, 'NOT_FOUND'],
])('jobChanges with %s does not begin', async ([, variables, code]) => {
  const { app } = await appWithJob()
  const beginning = follow(
    app,
    'subscription($after: String, $filter: JobFilter) { jobChanges(after: $after, filter: $filter) { to } }',
    variables as never,
  )
  await expect(beginning).rejects.toMatchObject({ errors: [{ extensions: { code } }] })
})

test('what happens to models is told', async () => {
  const { app } = await appWithJob()
  const events = await follow(
    app,
    `subscription { modelEvents(model: "teller") { __typename at model { name } ... on ModelRegistered { version { version } } ... on ResidencyChanged { residency { state } decision { kind } }
      ... on ResidencyEnded { residencyId decision { reason } } ... on ModelLoadFailed { version { version } error { code message } } } }`,
  )
  const [residency] = app.residencies({})
  const head = { at: 0, modelId: textModel.id } as const
  app.modelTopic.publish({ ...head, type: 'ModelRegistered', versionId: 1 as never })
  app.modelTopic.publish({ ...head, type: 'ResidencyChanged', residency: residency!, decision: null })
  app.modelTopic.publish({
    ...head,
    type: 'ResidencyEnded',
    residencyId: residency!.residencyId,
    decision: await app.decision(3),
  })
  app.modelTopic.publish({
    ...head,
    type: 'ModelLoadFailed',
    versionId: 1 as never,
    failure: { code: 'strange', message: 'No.', retryable: false },
  })
  const seen: unknown[] = []
  for (let count = 0; count < 4; count++) seen.push((await events.next()).value?.data?.['modelEvents'])
  const shown = { at: '1970-01-01T00:00:00.000Z', model: { name: 'teller' } }
  expect(JSON.parse(JSON.stringify(seen))).toEqual([
    { __typename: 'ModelRegistered', ...shown, version: { version: '1'.repeat(12) } },
    { __typename: 'ResidencyChanged', ...shown, residency: { state: 'RESIDENT' }, decision: null },
    {
      __typename: 'ResidencyEnded',
      ...shown,
      residencyId: encodeId('Residency', 1 as never),
      decision: { reason: 'Because of least_recently_used.' },
    },
    {
      __typename: 'ModelLoadFailed',
      ...shown,
      version: { version: '1'.repeat(12) },
      error: { code: 'INTERNAL', message: 'No.' },
    },
  ])
  await events.return(undefined)
})

test('vectors come as arrays of short numbers', async () => {
  const { app, job } = await appWithJob()
  app.outputs.set(job.id, {
    kind: 'embeddings',
    count: 1,
    dimensions: 2,
    embeddings: [Float32Array.of(0.1, -0.25)],
    artifactId: null,
  })
  app.say(job, { kind: 'succeeded' }, 'SUCCEEDED')
  const events = await eventsOf(
    app,
    '(idempotencyKey: "k")',
    '... on JobSucceeded { output { ... on EmbeddingsOutput { embeddings dimensions count } } }',
  )
  expect(events.at(-1)).toEqual({ output: { embeddings: [[0.1, -0.25]], dimensions: 2, count: 1 } })
})

test.for(['nobody', ''])('events of a model called %j are refused, not those of all models sent', async (model) => {
  await expect(
    follow(new FakeApp(), 'subscription($model: String) { modelEvents(model: $model) { at } }', { model }),
  ).rejects.toThrow(`No model ${JSON.stringify(model)} is known here.`)
})

test('previews, pauses and postprocessing are told', async () => {
  const { app, job } = await appWithJob()
  const deviceId = 1 as DeviceId
  app.say(job, { kind: 'started', deviceId }, 'RUNNING')
  app.say(job, { kind: 'preview', item: 1, step: 5, artifactId: 1 as ArtifactId })
  app.say(job, { kind: 'paused', cause: 'requested', message: 'Paused after 7 of 20 steps.' }, 'PAUSED')
  app.say(job, { kind: 'resumed', deviceId }, 'RUNNING')
  app.say(job, { kind: 'postprocessing' }, 'POSTPROCESSING')
  app.say(job, { kind: 'failed', failure: { code: 'UNSAFE_CONTENT', message: 'No.', retryable: false } }, 'FAILED')
  const events = await eventsOf(
    app,
    '(idempotencyKey: "k")',
    `__typename ... on PreviewReady { item step image { mimeType url } } ... on JobPaused { cause message } ... on JobResumed { device { name } }
     ... on JobFailed { error { code } }`,
  )
  expect(events.slice(2)).toEqual([
    {
      __typename: 'PreviewReady',
      item: 1,
      step: 5,
      image: { mimeType: 'application/octet-stream', url: 'http://127.0.0.1/artifacts/1/artifact-1.bin' },
    },
    { __typename: 'JobPaused', cause: 'REQUESTED', message: 'Paused after 7 of 20 steps.' },
    { __typename: 'JobResumed', device: { name: 'cpu' } },
    { __typename: 'JobPostprocessing' },
    { __typename: 'JobFailed', error: { code: 'UNSAFE_CONTENT' } },
  ])
})

test('a job that goes on after a pause and has no device yet is told as queued again', async () => {
  const { app, job } = await appWithJob()
  app.say(job, { kind: 'paused', cause: 'requested', message: 'Paused while it waited; nothing had run.' }, 'PAUSED')
  app.say(job, { kind: 'resumed', deviceId: null }, 'QUEUED')
  app.tell(job, ['Once'])
  const events = await eventsOf(app, '(idempotencyKey: "k")', '__typename ... on JobResumed { device { name } }')
  expect(events.map(({ __typename }) => __typename)).toEqual([
    'JobQueued',
    'JobPaused',
    'JobQueued',
    'JobStarted',
    'TextDelta',
    'JobSucceeded',
  ])
})

test('pictures come with their seeds and verdicts, and a withheld one without its file', async () => {
  const { app, job } = await appWithJob()
  const safety = (score: number) => ({ safe: score < 0.8, score, checkedBy: 'open-nsfw' })
  app.outputs.set(job.id, {
    kind: 'images',
    images: [
      { artifactId: 1 as ArtifactId, withheld: false, seed: 7, safety: safety(0.25) },
      { artifactId: null, withheld: true, seed: 8, safety: safety(0.875) },
      { artifactId: 99 as ArtifactId, withheld: false, seed: 9, safety: null },
    ],
  })
  app.say(job, { kind: 'succeeded' }, 'SUCCEEDED')
  const events = await eventsOf(
    app,
    '(idempotencyKey: "k")',
    '... on JobSucceeded { output { ... on ImagesOutput { images { image { sizeBytes } withheld seed safety { safe score checkedBy } } } } }',
  )
  expect(events.at(-1)).toEqual({
    output: {
      images: [
        { image: { sizeBytes: 7 }, withheld: false, seed: 7, safety: safety(0.25) },
        { image: null, withheld: true, seed: 8, safety: safety(0.875) },
        // Retention has removed the file.
        { image: null, withheld: false, seed: 9, safety: null },
      ],
    },
  })
})
