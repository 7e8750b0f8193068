import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { embeddings, errorFields, type MutationError, noop, submit, text } from '../support/submissions.ts'

interface RetriedJob {
  readonly id: string
  readonly state: string
  readonly request: unknown
  readonly priorityClass: string
  readonly session: { readonly id: string } | null
  readonly retryOf: { readonly id: string } | null
}
type RetryAnswer = { readonly job?: RetriedJob } & Partial<MutationError>
const jobFields = 'id state request priorityClass session { id } retryOf { id }'

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

async function retry(id: string): Promise<RetryAnswer> {
  const mutation = `mutation ($id: ID!) { retryJob(id: $id) { ... on RetryJobSuccess { job { ${jobFields} } } ${errorFields} } }`
  return (await hearth.ask<{ retryJob: RetryAnswer }>(mutation, { id })).retryJob
}
async function job(id: string): Promise<RetriedJob> {
  return (await hearth.ask<{ job: RetriedJob }>(`query ($id: ID!) { job(id: $id) { ${jobFields} } }`, { id })).job
}

test('a failed job is tried again as a new job with the same request', async () => {
  const id = await submit(
    hearth,
    noop({ steps: 3, failAtStep: 2, value: { deep: [1, 'two'] } }, { priorityClass: 'BATCH' }),
  )
  expect(await watch(hearth, id).final()).toMatchObject({ __typename: 'JobFailed', error: { code: 'ENGINE_ERROR' } })
  const { job: again } = await retry(id)
  expect(again?.id).not.toBe(id)
  expect(again).toMatchObject({ retryOf: { id }, priorityClass: 'BATCH' })
  expect(again?.request).toEqual((await job(id)).request)
  expect((await watch(hearth, again!.id).final()).__typename).toBe('JobFailed')
  expect((await job(id)).state).toBe('FAILED')
})

test('a text that is tried again keeps the seed that was drawn for it', async () => {
  const id = await submit(hearth, text({ prompt: 'Invent a word.', maxTokens: 12, temperature: 1 }))
  const first = await watch(hearth, id).output()
  const { job: again } = await retry(id)
  expect(again?.request).toEqual((await job(id)).request)
  expect((await watch(hearth, again!.id).output()).text).toBe(first.text)
})

test('a job that succeeded or was cancelled may be tried again, and a retry too', async () => {
  const succeeded = await submit(hearth, embeddings(['Once more.']))
  await watch(hearth, succeeded).final()
  const first = (await retry(succeeded)).job!
  await watch(hearth, first.id).final()
  const second = (await retry(first.id)).job!
  expect(second.retryOf?.id).toBe(first.id)
  expect((await watch(hearth, second.id).output()).embeddings).toHaveLength(1)
})

test('a job that has not ended cannot be tried again', async () => {
  const id = await submit(hearth, noop({ steps: 100_000, stepMs: 5 }))
  await watch(hearth, id).event('JobStarted')
  expect((await retry(id)).__typename).toBe('ConflictError')
  await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id })
  expect((await watch(hearth, id).final()).__typename).toBe('JobCancelled')
})

test('a job that is not there cannot be tried again', async () => {
  expect(await retry('nonsense')).toMatchObject({ __typename: 'NotFoundError', kind: 'Job', reference: 'nonsense' })
})
