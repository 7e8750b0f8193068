import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { type JobOutput, outputFields, watch } from '../support/job-log.ts'
import { serial, withModels } from '../support/models.ts'
import { errorFields, type MutationError, noop, submit, text } from '../support/submissions.ts'

type CancelAnswer = { readonly job?: { readonly id: string; readonly state: string } } & Partial<MutationError>

/** Long enough that only a cancellation ends it within the test. */
const endless = { steps: 100_000, stepMs: 5 }

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth({ environment: await withModels(serial) })
})
afterAll(() => hearth.stop())

async function cancel(id: string): Promise<CancelAnswer> {
  const mutation = `mutation ($id: ID!) { cancelJob(id: $id) { ... on CancelJobSuccess { job { id state } } ${errorFields} } }`
  return (await hearth.ask<{ cancelJob: CancelAnswer }>(mutation, { id })).cancelJob
}
async function jobNow(
  id: string,
): Promise<{ state: string; startedAt: string | null; finishedAt: string | null; output: JobOutput | null }> {
  const { job } = await hearth.ask<{ job: Awaited<ReturnType<typeof jobNow>> }>(
    `query ($id: ID!) { job(id: $id) { state startedAt finishedAt output { ${outputFields} } } }`,
    { id },
  )
  return job
}

test('a waiting job that is cancelled never starts', async () => {
  const blocker = await submit(hearth, noop(endless, { model: 'serial' }))
  await watch(hearth, blocker).event('JobStarted')
  const waiting = await submit(hearth, noop({}, { model: 'serial' }))
  const log = watch(hearth, waiting)
  expect((await cancel(waiting)).job?.id).toBe(waiting)
  expect((await log.final()).__typename).toBe('JobCancelled')
  expect(log.types).not.toContain('JobStarted')
  expect(await jobNow(waiting)).toMatchObject({ state: 'CANCELLED', startedAt: null, output: null })
  await cancel(blocker)
  await watch(hearth, blocker).final()
})

test('a running job that is cancelled stops at its next step, and its place is free for the next', async () => {
  const running = await submit(hearth, noop(endless, { model: 'serial' }))
  const log = watch(hearth, running)
  await log.event('StepCompleted')
  const next = await submit(hearth, noop({ value: 'next' }, { model: 'serial' }))
  await cancel(running)
  expect((await log.final(2000)).__typename).toBe('JobCancelled')
  expect((await watch(hearth, next).final()).__typename).toBe('JobSucceeded')
})

test('a cancelled text keeps what was written so far as its output', async () => {
  const id = await submit(hearth, text({ prompt: 'Tell a very long story about a lighthouse.', maxTokens: 1500 }))
  const log = watch(hearth, id)
  await log.reaches('some text', () => log.text.length > 60)
  expect((await cancel(id)).job?.id).toBe(id)
  expect((await log.final()).__typename).toBe('JobCancelled')
  const { state, output } = await jobNow(id)
  expect(state).toBe('CANCELLED')
  expect(output).toMatchObject({ finishReason: 'CANCELLED', text: log.text })
  expect(output?.completionTokens).toBeLessThan(1500)
})

test('cancelling twice succeeds, before and after the job has ended', async () => {
  const id = await submit(hearth, noop(endless))
  await watch(hearth, id).event('JobStarted')
  const answers = await Promise.all([cancel(id), cancel(id), cancel(id)])
  expect(answers.map(({ job }) => job?.id)).toEqual([id, id, id])
  const log = watch(hearth, id)
  await log.final()
  expect((await cancel(id)).job).toEqual({ id, state: 'CANCELLED' })
  expect(log.types.filter((type) => type === 'JobCancelled')).toHaveLength(1)
})

test('a job that has ended otherwise cannot be cancelled', async () => {
  const succeeded = await submit(hearth, noop())
  const failed = await submit(hearth, noop({ steps: 2, failAtStep: 1 }))
  for (const id of [succeeded, failed]) {
    await watch(hearth, id).final()
    expect((await cancel(id)).__typename).toBe('ConflictError')
  }
  expect((await jobNow(succeeded)).state).toBe('SUCCEEDED')
})

test('a job that is not there cannot be cancelled', async () => {
  const notAJob = (await hearth.ask<{ devices: { id: string }[] }>('{ devices { id } }')).devices[0]!.id
  for (const id of ['nonsense', '', notAJob]) {
    expect(await cancel(id)).toMatchObject({ __typename: 'NotFoundError', kind: 'Job', reference: id })
  }
})

test('every job of a cancelled crowd ends exactly once', async () => {
  const ids = await Promise.all(
    Array.from({ length: 40 }, (_, index) => submit(hearth, noop(index % 2 ? endless : {}))),
  )
  await Promise.all(ids.map(cancel))
  for (const [index, id] of ids.entries()) {
    const log = watch(hearth, id)
    const { __typename } = await log.final()
    if (index % 2) expect(__typename).toBe('JobCancelled')
    expect(log.types.filter((type) => ['JobSucceeded', 'JobFailed', 'JobCancelled'].includes(type))).toHaveLength(1)
  }
})
