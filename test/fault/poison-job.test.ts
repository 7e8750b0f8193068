import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { withModels } from '../support/models.ts'
import { errorFields, noop, submit, submitAll } from '../support/submissions.ts'
import { listWorkers } from '../support/workers.ts'

/** Few jobs share a step, so that a poison job is tried alone soon. */
const narrow = { name: 'narrow', batchLimit: 8 }

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth({ environment: await withModels(narrow) })
})
afterAll(() => hearth.stop())

async function failureOf(id: string): Promise<unknown> {
  return (
    await hearth.ask<{ job: { error: unknown } }>(
      'query ($id: ID!) { job(id: $id) { error { code message retryable } } }',
      { id },
    )
  ).job.error
}
const neighbour = (value: number) => noop({ value, steps: 20, stepMs: 10 })

test('a job that kills its worker is quarantined, and its neighbours succeed without blame', async () => {
  const ids = await submitAll(hearth, [
    neighbour(0),
    neighbour(1),
    noop({ steps: 10, stepMs: 10, exitAtStep: 3 }),
    neighbour(2),
    neighbour(3),
  ])
  const logs = ids.map((id) => watch(hearth, id))
  const ends = await Promise.all(logs.map((log) => log.final()))
  expect(ends.map(({ __typename }) => __typename)).toEqual([
    'JobSucceeded',
    'JobSucceeded',
    'JobFailed',
    'JobSucceeded',
    'JobSucceeded',
  ])
  expect(ends[2]).toMatchObject({ error: { code: 'QUARANTINED', retryable: false } })
  expect(await failureOf(ids[2]!)).toMatchObject({ code: 'QUARANTINED' })
  // It died once in company and twice alone.
  expect(logs[2]!.types.filter((type) => type === 'JobStarted').length).toBeLessThanOrEqual(3)
})

test('a job that kills its worker at once is quarantined too', async () => {
  const log = watch(hearth, await submit(hearth, noop({ exitAtStep: 1 })))
  expect(await log.final()).toMatchObject({ __typename: 'JobFailed', error: { code: 'QUARANTINED' } })
})

test('a job that fails in the engine fails alone', async () => {
  const ids = await submitAll(hearth, [neighbour(0), noop({ steps: 10, stepMs: 10, failAtStep: 3 }), neighbour(1)])
  const before = (await listWorkers(hearth)).filter(({ engine }) => engine === 'none').map(({ pid }) => pid)
  const ends = await Promise.all(ids.map((id) => watch(hearth, id).final()))
  expect(ends.map(({ __typename }) => __typename)).toEqual(['JobSucceeded', 'JobFailed', 'JobSucceeded'])
  expect(ends[1]).toMatchObject({ error: { code: 'ENGINE_ERROR' } })
  // Nobody had to die for it.
  expect((await listWorkers(hearth)).map(({ pid }) => pid)).toEqual(expect.arrayContaining(before))
})

test('a step that is too large for the memory is made smaller, and no job fails', async () => {
  const jobs = Array.from({ length: 6 }, (_, value) =>
    noop({ value, steps: 5, stepMs: 5, outOfMemoryAbove: 2 }, { model: 'narrow' }),
  )
  for (const id of await submitAll(hearth, jobs))
    expect((await watch(hearth, id).final()).__typename).toBe('JobSucceeded')
})

test('a job that needs too much memory even alone fails and says so', async () => {
  const log = watch(hearth, await submit(hearth, noop({ steps: 2, outOfMemoryAbove: 0 })))
  expect(await log.final()).toMatchObject({ __typename: 'JobFailed', error: { code: 'OUT_OF_MEMORY' } })
})

test('after all that the server is well, and a quarantined job may be tried again by hand', async () => {
  const id = await submit(hearth, noop({ exitAtStep: 1 }))
  await watch(hearth, id).final()
  const mutation = `mutation ($id: ID!) { retryJob(id: $id) { ... on RetryJobSuccess { job { id } } ${errorFields} } }`
  const { retryJob } = await hearth.ask<{ retryJob: { job: { id: string } } }>(mutation, { id })
  expect(await watch(hearth, retryJob.job.id).final()).toMatchObject({ error: { code: 'QUARANTINED' } })
  expect((await watch(hearth, await submit(hearth, noop({ value: 'well' }))).final()).__typename).toBe('JobSucceeded')
})
