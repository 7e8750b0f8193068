import { expect, test } from 'vitest'
import { encodeId } from '../../../schema/ids.ts'
import { Overloaded } from '../../../src/app/errors.ts'
import { ask } from '../../support/ask-schema.ts'
import { FakeApp, textModel } from '../../support/fake-app.ts'

const submit = `mutation($input: SubmitJobInput!) { submitJob(input: $input) {
  __typename
  ... on SubmitJobSuccess { job { id state } }
  ... on Error { message }
  ... on InvalidInputError { fields { path message } }
  ... on NotFoundError { kind reference }
  ... on OverloadedError { limit retryAfterMs }
} }`

const tell = { model: textModel.name, task: { generateText: { prompt: 'Once' } } }

test('a submission arrives in the application as it was meant', async () => {
  const app = new FakeApp()
  const sessionId = encodeId('Session', 4 as never)
  const { data } = await ask(app, submit, {
    input: {
      ...tell,
      sessionId,
      priorityClass: 'BATCH',
      idempotencyKey: 'k',
      deadline: '2026-11-23T10:00:00+01:00',
      task: {
        generateText: {
          messages: [{ role: 'USER', content: 'Hi' }],
          maxTokens: 7,
          temperature: 0,
          topP: 0.5,
          stop: ['.'],
          seed: 2 ** 40,
        },
      },
    },
  })
  expect(data).toEqual({
    submitJob: { __typename: 'SubmitJobSuccess', job: { id: encodeId('Job', 1 as never), state: 'QUEUED' } },
  })
  expect(app.submitted).toEqual([
    {
      sessionId: 4,
      model: textModel.name,
      priorityClass: 'batch',
      idempotencyKey: 'k',
      deadline: Date.UTC(2026, 10, 23, 9),
      task: {
        generateText: {
          prompt: null,
          messages: [{ role: 'USER', content: 'Hi' }],
          maxTokens: 7,
          temperature: 0,
          topP: 0.5,
          stop: ['.'],
          seed: 2 ** 40,
        },
      },
    },
  ])
})

test('the parameters of a program may hold variables and any JSON', async () => {
  const app = new FakeApp()
  const { errors } = await ask(
    app,
    `mutation($size: Int) { submitJob(input: { model: "${textModel.name}", task: { program: { name: "paint", parameters: { size: $size, deep: [{ a: null, b: 1.5 }] } } } }) { __typename } }`,
    { size: 3 },
  )
  expect(errors).toBeUndefined()
  expect(app.submitted[0]?.task.program?.parameters).toEqual({ size: 3, deep: [{ a: null, b: 1.5 }] })
})

test('parameters nested hundreds deep are refused', async () => {
  const parameters = JSON.parse('['.repeat(300) + ']'.repeat(300)) as unknown
  const { errors } = await ask(new FakeApp(), submit, {
    input: { ...tell, task: { program: { name: 'p', parameters } } },
  })
  expect(errors?.[0]?.message).toMatch(/nested at most 200 deep/)
})

test('all problems of an input are told, with their paths', async () => {
  const { data } = await ask(new FakeApp(), submit, { input: { ...tell, task: { generateText: { prompt: '' } } } })
  expect(data).toEqual({
    submitJob: {
      __typename: 'InvalidInputError',
      message: 'task.generateText.prompt: is empty.',
      fields: [{ path: 'task.generateText.prompt', message: 'is empty.' }],
    },
  })
})

test.for(['garbage', ''])('%j is no id of a session, which is told with all else that is wrong', async (sessionId) => {
  const app = new FakeApp()
  const bad = { ...tell, sessionId, task: { generateText: { prompt: '' } } }
  const { data } = await ask(
    app,
    'mutation($input: SubmitJobsInput!) { submitJobs(input: $input) { ... on InvalidInputError { fields { path } } } }',
    { input: { jobs: [tell, bad] } },
  )
  expect(data).toEqual({
    submitJobs: { fields: [{ path: 'jobs.1.sessionId' }, { path: 'jobs.1.task.generateText.prompt' }] },
  })
})

test('an unknown model is a NotFoundError', async () => {
  const { data } = await ask(new FakeApp(), submit, { input: { ...tell, model: 'nobody' } })
  expect(data).toMatchObject({ submitJob: { __typename: 'NotFoundError', kind: 'Model', reference: 'nobody' } })
})

test('an overloaded server says when to come back', async () => {
  const app = new FakeApp()
  app.refusal = new Overloaded('queue', 250, 'The queue is full.')
  const { data } = await ask(app, submit, { input: tell })
  expect(data).toEqual({
    submitJob: { __typename: 'OverloadedError', message: 'The queue is full.', limit: 'queue', retryAfterMs: 250 },
  })
})

test.for([
  ['two tasks', { generateText: { prompt: 'a' }, embedText: { texts: ['b'] } }],
  ['no task', {}],
  ['a task that is null', { generateText: null }],
])('%s is an ordinary GraphQL error', async ([, task]) => {
  const { data, errors } = await ask(new FakeApp(), submit, { input: { ...tell, task } })
  expect(data).toBeUndefined()
  expect(errors).toHaveLength(1)
})

test.for([
  ['an impossible day', '2026-13-40T00:00:00Z'],
  ['a date without a time', '2026-11-23'],
  ['words', 'tomorrow'],
  ['a number', 1_795_000_000_000],
])('%s is no DateTime', async ([, deadline]) => {
  expect((await ask(new FakeApp(), submit, { input: { ...tell, deadline } })).errors?.[0]?.message).toMatch(
    /DateTime must be/,
  )
})

test('many jobs are answered together', async () => {
  const { data } = await ask(
    new FakeApp(),
    'mutation($input: SubmitJobsInput!) { submitJobs(input: $input) { ... on SubmitJobsSuccess { jobs { state } } } }',
    { input: { jobs: [tell, tell, tell] } },
  )
  expect(data).toEqual({ submitJobs: { jobs: [{ state: 'QUEUED' }, { state: 'QUEUED' }, { state: 'QUEUED' }] } })
})

test.for([
  ['cancelJob(id: $id)', 'Job'],
  ['retryJob(id: $id)', 'Job'],
  ['pauseJob(id: $id)', 'Job'],
  ['resumeJob(id: $id)', 'Job'],
  ['closeSession(id: $id)', 'Session'],
  ['unloadModel(input: { model: "teller", deviceId: $id })', 'Device'],
])('%s with what is no id is a NotFoundError', async ([field, kind]) => {
  for (const id of ['garbage', '', encodeId('Component', 1 as never)]) {
    const { data } = await ask(
      new FakeApp(),
      `mutation($id: ID!) { result: ${field} { __typename ... on NotFoundError { kind reference } } }`,
      { id },
    )
    expect(data).toEqual({ result: { __typename: 'NotFoundError', kind, reference: id } })
  }
})

test.for([
  ['cancelJob(id: $id)', encodeId('Job', 999 as never), '`jobs` lists'],
  ['retryJob(id: $id)', encodeId('Job', 999 as never), '`jobs` lists'],
  ['pauseJob(id: $id)', encodeId('Job', 999 as never), '`jobs` lists'],
  ['resumeJob(id: $id)', encodeId('Job', 999 as never), '`jobs` lists'],
  ['closeSession(id: $id)', encodeId('Session', 999 as never), 'openSession'],
])('%s of what is not there names the id as it was sent, and what to do', async ([field = '', id = '', words]) => {
  const { data } = await ask(
    new FakeApp(),
    `mutation($id: ID!) { result: ${field} { ... on Error { message } ... on NotFoundError { reference } } }`,
    { id },
  )
  expect(data).toEqual({ result: { reference: id, message: expect.stringContaining(`"${id}"`) } })
  expect(data).toEqual({ result: { reference: id, message: expect.stringContaining(words ?? '') } })
})

test.for(['garbage', ''])('loadModel names the field of a bad device id: %j', async (id) => {
  const { data } = await ask(
    new FakeApp(),
    'mutation($id: ID) { loadModel(input: { model: "teller", deviceId: $id }) { ... on InvalidInputError { fields { path } } } }',
    { id },
  )
  expect(data).toEqual({ loadModel: { fields: [{ path: 'deviceId' }] } })
})

test('sessions open with defaults and close', async () => {
  const app = new FakeApp()
  const opened = await ask(
    app,
    'mutation { openSession(input: {}) { ... on OpenSessionSuccess { session { id state priorityClass weight } } } }',
  )
  const id = encodeId('Session', 1 as never)
  expect(opened.data).toEqual({
    openSession: { session: { id, state: 'OPEN', priorityClass: 'INTERACTIVE', weight: 1 } },
  })
  const closed = await ask(
    app,
    'mutation($id: ID!) { closeSession(id: $id) { ... on CloseSessionSuccess { session { state } } } }',
    { id },
  )
  expect(closed.data).toEqual({ closeSession: { session: { state: 'CLOSED' } } })
})

test('jobs are cancelled and retried', async () => {
  const app = new FakeApp()
  await ask(app, submit, { input: tell })
  const id = encodeId('Job', 1 as never)
  const both =
    'mutation($id: ID!) { cancelJob(id: $id) { ... on CancelJobSuccess { job { id } } ... on Error { message } } retryJob(id: $id) { __typename ... on RetryJobSuccess { job { retryOf { id } } } } }'
  expect((await ask(app, both, { id })).data).toEqual({
    cancelJob: { job: { id } },
    retryJob: { __typename: 'ConflictError' },
  })
  app.tell(app.allJobs[0]!, ['a'])
  expect((await ask(app, both, { id })).data).toEqual({
    cancelJob: { message: 'It has already succeeded.' },
    retryJob: { __typename: 'RetryJobSuccess', job: { retryOf: { id } } },
  })
})

test('jobs are paused and resumed', async () => {
  const app = new FakeApp()
  await ask(app, submit, { input: tell })
  const id = encodeId('Job', 1 as never)
  const pause =
    'mutation($id: ID!) { pauseJob(id: $id) { __typename ... on PauseJobSuccess { job { id pauseCause } } ... on Error { message } } }'
  const resume =
    'mutation($id: ID!) { resumeJob(id: $id) { __typename ... on ResumeJobSuccess { job { id } } ... on Error { message } } }'
  expect((await ask(app, resume, { id })).data).toEqual({
    resumeJob: { __typename: 'ConflictError', message: 'It is not paused.' },
  })
  expect((await ask(app, pause, { id })).data).toEqual({
    pauseJob: { __typename: 'PauseJobSuccess', job: { id, pauseCause: null } },
  })
  app.allJobs[0]!.pauseCause = 'requested'
  expect((await ask(app, pause, { id })).data).toMatchObject({ pauseJob: { job: { pauseCause: 'REQUESTED' } } })
  expect((await ask(app, resume, { id })).data).toEqual({
    resumeJob: { __typename: 'ResumeJobSuccess', job: { id } },
  })
})

test('a picture is asked for with what was given, and its count has a default', async () => {
  const app = new FakeApp()
  const { errors } = await ask(
    app,
    `mutation { submitJob(input: { model: "${textModel.name}", previews: {}, task: { textToImage: { prompt: "a pear", seed: 7, upscale: 2 } } }) { __typename } }`,
  )
  expect(errors).toBeUndefined()
  const others = { negativePrompt: null, width: null, height: null, steps: null, guidance: null }
  expect(app.submitted[0]?.task).toEqual({
    textToImage: { prompt: 'a pear', seed: 7, count: 1, upscale: 2, ...others },
  })
  expect(app.submitted[0]?.previews).toEqual({ everySteps: 5, maxWidth: 256 })
})

test('an input without previews is the same as it was before there were any', async () => {
  const app = new FakeApp()
  await ask(app, submit, { input: tell })
  expect(app.submitted[0]).not.toHaveProperty('previews')
})

test('a picture is made larger by its id or as it stands in the request', async () => {
  const app = new FakeApp()
  const upscale = (image: object) =>
    ask(app, submit, { input: { model: textModel.name, task: { upscaleImage: { image, factor: 2 } } } })
  await upscale({ artifactId: encodeId('Artifact', 3 as never) })
  await upscale({ dataUrl: 'data:image/png;base64,AAAA' })
  expect(app.submitted.map(({ task }) => task.upscaleImage)).toEqual([
    { image: { artifactId: 3 }, factor: 2 },
    { image: { dataUrl: 'data:image/png;base64,AAAA' }, factor: 2 },
  ])
})
