import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GraphQLAnswer, type Hearth, startHearth } from '../support/hearth.ts'
import {
  embeddings,
  errorFields,
  type JobInput,
  type MutationError,
  noop,
  type SubmitAnswer,
  submit,
  submitManyMutation,
  submitMutation,
  text,
} from '../support/submissions.ts'
import { askOverWebSocket } from '../support/subscriptions.ts'

const mib = 1024 * 1024
const unknownModel = { model: 'nowhere', task: { generateText: { prompt: 'Hi.' } } }

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

/** What is refused because of one field, and its path. */
const badFields: readonly { readonly what: string; readonly input: () => JobInput; readonly path: string }[] = [
  {
    what: 'a task that the model does not do',
    input: () => ({ ...text({ prompt: 'Hi.' }), model: 'all-minilm-l6-v2' }),
    path: 'task',
  },
  { what: 'an empty prompt', input: () => text({ prompt: '' }), path: 'task.generateText.prompt' },
  { what: 'a blank prompt', input: () => text({ prompt: ' \n\t ' }), path: 'task.generateText.prompt' },
  {
    what: 'a prompt of two megabytes',
    input: () => text({ prompt: 'x'.repeat(2 * mib) }),
    path: 'task.generateText.prompt',
  },
  {
    what: 'a prompt that is too large only as UTF-8',
    input: () => text({ prompt: 'é'.repeat(0.6 * mib) }),
    path: 'task.generateText.prompt',
  },
  {
    what: 'a prompt with half of a surrogate pair',
    input: () => text({ prompt: 'half \ud83d' }),
    path: 'task.generateText.prompt',
  },
  {
    what: 'a stop string with half of a surrogate pair',
    input: () => text({ prompt: 'Hi.', stop: ['\ud83d'] }),
    path: 'task.generateText.stop.0',
  },
  {
    what: 'a parameter with half of a surrogate pair',
    input: () => noop({ value: { deep: ['half \ud83d'] } }),
    path: 'task.program.parameters.value.deep.0',
  },
  {
    what: 'both prompt and messages',
    input: () => text({ prompt: 'Hi.', messages: [{ role: 'USER', content: 'Hi.' }] }),
    path: 'task.generateText.prompt',
  },
  { what: 'neither prompt nor messages', input: () => text({}), path: 'task.generateText.prompt' },
  { what: 'no messages', input: () => text({ messages: [] }), path: 'task.generateText.messages' },
  {
    what: 'an empty message',
    input: () =>
      text({
        messages: [
          { role: 'SYSTEM', content: 'Be brief.' },
          { role: 'USER', content: '' },
        ],
      }),
    path: 'task.generateText.messages.1.content',
  },
  { what: 'negative tokens', input: () => text({ prompt: 'Hi.', maxTokens: -5 }), path: 'task.generateText.maxTokens' },
  { what: 'no tokens', input: () => text({ prompt: 'Hi.', maxTokens: 0 }), path: 'task.generateText.maxTokens' },
  {
    what: 'more tokens than the model can hold',
    input: () => text({ prompt: 'Hi.', maxTokens: 1_000_000 }),
    path: 'task.generateText.maxTokens',
  },
  {
    what: 'a negative temperature',
    input: () => text({ prompt: 'Hi.', temperature: -0.1 }),
    path: 'task.generateText.temperature',
  },
  { what: 'a probability above one', input: () => text({ prompt: 'Hi.', topP: 1.5 }), path: 'task.generateText.topP' },
  {
    what: 'an empty stop string',
    input: () => text({ prompt: 'Hi.', stop: ['end', ''] }),
    path: 'task.generateText.stop.1',
  },
  { what: 'a negative seed', input: () => text({ prompt: 'Hi.', seed: -1 }), path: 'task.generateText.seed' },
  { what: 'no texts', input: () => embeddings([]), path: 'task.embedText.texts' },
  {
    what: 'too many texts',
    input: () => embeddings(Array.from({ length: 10_001 }, () => 'x')),
    path: 'task.embedText.texts',
  },
  { what: 'an empty text among others', input: () => embeddings(['one', 'two', '']), path: 'task.embedText.texts.2' },
  {
    what: 'another program than the model runs',
    input: () => ({ model: 'noop', task: { program: { name: 'other', parameters: {} } } }),
    path: 'task.program.name',
  },
  {
    what: 'parameters that are no object',
    input: () => ({ model: 'noop', task: { program: { name: 'noop', parameters: [1] } } }),
    path: 'task.program.parameters',
  },
  { what: 'a deadline in the past', input: () => noop({}, { deadline: '2020-01-01T00:00:00Z' }), path: 'deadline' },
  { what: 'an empty key', input: () => noop({}, { idempotencyKey: '' }), path: 'idempotencyKey' },
  {
    what: 'a key that is too long',
    input: () => noop({}, { idempotencyKey: 'k'.repeat(1000) }),
    path: 'idempotencyKey',
  },
  { what: 'an id that is no session', input: () => noop({}, { sessionId: 'nonsense' }), path: 'sessionId' },
]

/** What GraphQL itself refuses: missing or wrongly typed input. */
const malformed: readonly { readonly what: string; readonly input: unknown }[] = [
  { what: 'no task', input: { model: 'noop' } },
  {
    what: 'two tasks',
    input: { model: 'noop', task: { embedText: { texts: ['x'] }, program: { name: 'noop', parameters: {} } } },
  },
  { what: 'an empty task', input: { model: 'noop', task: {} } },
  { what: 'a task that is null', input: { model: 'noop', task: { embedText: null } } },
  { what: 'a field that does not exist', input: { ...noop(), colour: 'red' } },
  { what: 'a number where text belongs', input: { ...noop(), model: 7 } },
  { what: 'a deadline that is no time', input: noop({}, { deadline: 'tomorrow' }) },
  {
    what: 'a seed that is no safe integer',
    input: { model: 'smollm2-135m-instruct', task: { generateText: { prompt: 'Hi.', seed: 2 ** 60 } } },
  },
  { what: 'nothing', input: null },
]

type Ask = <Data>(query: string, variables: Record<string, unknown>) => Promise<GraphQLAnswer<Data>>
const doors: readonly { readonly door: string; readonly ask: Ask }[] = [
  { door: 'HTTP', ask: (query, variables) => hearth.query(query, variables) },
  { door: 'WebSocket', ask: (query, variables) => askOverWebSocket(hearth, { query, variables }) },
]

describe.each(doors)('over $door', ({ ask }) => {
  async function answerTo(input: unknown): Promise<SubmitAnswer> {
    const { data, errors } = await ask<{ submitJob: SubmitAnswer }>(submitMutation, { input })
    if (errors || !data) throw new Error(JSON.stringify(errors))
    return data.submitJob
  }
  async function answerToMany(jobs: readonly unknown[]): Promise<SubmitAnswer> {
    const { data, errors } = await ask<{ submitJobs: SubmitAnswer }>(submitManyMutation, { input: { jobs } })
    if (errors || !data) throw new Error(JSON.stringify(errors))
    return data.submitJobs
  }

  test.each(badFields)('$what is refused with the path of the field', async ({ input, path }) => {
    const answer = await answerTo(input())
    expect(answer.__typename).toBe('InvalidInputError')
    expect(answer.fields?.map((field) => field.path)).toEqual([path])
    expect(answer.fields?.[0]?.message).toMatch(/\w{3}/)
  })

  test.each(malformed)('$what is an ordinary GraphQL error', async ({ input }) => {
    const { data, errors } = await ask<{ submitJob: unknown }>(submitMutation, { input })
    expect(data?.submitJob ?? null).toBeNull()
    expect(errors?.length).toBeGreaterThan(0)
    expect(errors?.[0]?.message).not.toBe('Unexpected error.')
  })

  test('an unknown model is not found, and the known ones are named', async () => {
    const answer = await answerTo(unknownModel)
    expect(answer).toMatchObject({ __typename: 'NotFoundError', kind: 'Model', reference: 'nowhere' })
    expect(answer.message).toContain('smollm2-135m-instruct')
    expect(await answerTo({ ...noop(), model: 'noop@ffffffffffff' })).toMatchObject({
      __typename: 'NotFoundError',
      kind: 'Model',
    })
  })

  test('of sixteen thousand mistakes the first thousand are told', async () => {
    const wrong = text({ prompt: 'Hi.', stop: Array.from({ length: 16 }, () => '') })
    const fields = (await answerToMany(Array.from({ length: 1000 }, () => wrong))).fields ?? []
    expect(fields[0]?.path).toBe('jobs.0.task.generateText.stop.0')
    expect(fields.length).toBeGreaterThanOrEqual(1000)
    expect(fields.length).toBeLessThan(1100)
  })

  test('everything that is wrong with a job is told at once', async () => {
    const answer = await answerTo({
      ...text({ prompt: '', maxTokens: -1, temperature: 9, stop: [''] }),
      deadline: '2020-01-01T00:00:00Z',
      sessionId: 'nonsense',
      idempotencyKey: '',
    })
    expect(answer.fields?.map(({ path }) => path).sort()).toEqual([
      'deadline',
      'idempotencyKey',
      'sessionId',
      'task.generateText.maxTokens',
      'task.generateText.prompt',
      'task.generateText.stop.0',
      'task.generateText.temperature',
    ])
  })

  test('everything that is wrong with a submission of many is told at once, and nothing of it is written', async () => {
    const before = await jobCount()
    const answer = await answerToMany([
      noop(),
      text({ prompt: '' }),
      embeddings(['x', '']),
      noop({}, { deadline: '2020-01-01T00:00:00Z', sessionId: 'nonsense' }),
    ])
    expect(answer.fields?.map(({ path }) => path).sort()).toEqual([
      'jobs.1.task.generateText.prompt',
      'jobs.2.task.embedText.texts.1',
      'jobs.3.deadline',
      'jobs.3.sessionId',
    ])
    expect(await jobCount()).toBe(before)
  })

  test('a submission of a thousand jobs is accepted, of one more or of none refused', async () => {
    const jobs = Array.from({ length: 1001 }, () => noop())
    expect(await answerToMany(jobs)).toMatchObject({ __typename: 'InvalidInputError', fields: [{ path: 'jobs' }] })
    expect(await answerToMany([])).toMatchObject({ __typename: 'InvalidInputError', fields: [{ path: 'jobs' }] })
    expect(((await answerToMany(jobs.slice(1))) as { jobs?: unknown[] }).jobs).toHaveLength(1000)
  })

  test('a reused key with another input is a conflict', async () => {
    const key = { idempotencyKey: 'bad input' }
    await submit(hearth, noop({ value: 1 }, key))
    expect(await answerTo(noop({ value: 2 }, key))).toMatchObject({ __typename: 'ConflictError' })
  })

  test('ids and states that do not allow a change are typed errors', async () => {
    const done = await submit(hearth, noop())
    await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id: done })
    const change = async (mutation: string, id: string) =>
      (
        await ask<{ result: MutationError }>(
          `mutation ($id: ID!) { result: ${mutation}(id: $id) { ${errorFields} } }`,
          { id },
        )
      ).data?.result
    for (const mutation of ['cancelJob', 'retryJob'])
      expect(await change(mutation, 'nonsense')).toMatchObject({
        __typename: 'NotFoundError',
        kind: 'Job',
        reference: 'nonsense',
      })
    expect(await change('closeSession', done)).toMatchObject({
      __typename: 'NotFoundError',
      kind: 'Session',
      reference: done,
    })
    const running = await submit(hearth, noop({ steps: 100_000, stepMs: 5 }))
    expect(await change('retryJob', running)).toMatchObject({ __typename: 'ConflictError' })
    await change('cancelJob', running)
  })

  test('a query that asks for too much at once, or for what is not there, says so', async () => {
    const codes = async (query: string, variables = {}) =>
      (await ask(query, variables)).errors?.map(({ extensions }) => extensions?.['code'])
    expect(await codes('{ jobs(after: "nonsense") { totalCount } }')).toEqual(['BAD_USER_INPUT'])
    expect(await codes('{ job { id } }')).toEqual(['BAD_USER_INPUT'])
    expect((await ask('{ job(id: "nonsense") { id } }', {})).data).toEqual({ job: null })
    expect((await ask('{ nonsense }', {})).errors?.[0]?.message).toContain('nonsense')
    expect((await ask('{ jobs {', {})).errors?.length).toBe(1)
  })

  test('the server goes on as if nothing had happened', async () => {
    expect((await ask('{ server { ready } }', {})).data).toEqual({ server: { ready: true } })
  })
})

async function jobCount(): Promise<number> {
  return (await hearth.ask<{ jobs: { totalCount: number } }>('{ jobs(first: 0) { totalCount } }')).jobs.totalCount
}
