import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { startServer } from '../support/servers.ts'
import { noop, submit, submitAll, text, trySubmit, trySubmitAll } from '../support/submissions.ts'
import { until } from '../support/until.ts'

const queueLimit = 10

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth({
    environment: { HEARTH_QUEUE_LIMIT: String(queueLimit), HEARTH_MAX_PROMPT_BYTES: '2000' },
  })
})
afterAll(() => hearth.stop())

test('a full queue refuses with its limit and a time to come back, and takes jobs again when there is room', async () => {
  const ids = await submitAll(
    hearth,
    Array.from({ length: queueLimit }, () => noop({ steps: 100_000, stepMs: 5 })),
  )
  const refusal = await trySubmit(hearth, noop())
  expect(refusal).toMatchObject({ __typename: 'OverloadedError', limit: 'queue' })
  expect(refusal.retryAfterMs).toBeGreaterThan(0)
  await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id: ids[0] })
  await watch(hearth, ids[0]!).final()
  const next = await until('there is room', async () => (await trySubmit(hearth, noop())).job)
  await watch(hearth, next.id).final()
  for (const id of ids.slice(1)) await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id })
  for (const id of ids) await watch(hearth, id).final()
})

test('a submission of many that does not fit as a whole is refused as a whole', async () => {
  const jobs = Array.from({ length: queueLimit + 1 }, () => noop())
  const refusal = await trySubmitAll(hearth, jobs)
  expect(refusal).toMatchObject({ __typename: 'OverloadedError', limit: 'queue' })
  expect(refusal.message).toContain('split them')
  const { jobs: accepted = [] } = await trySubmitAll(hearth, jobs.slice(1))
  expect(accepted).toHaveLength(queueLimit)
  for (const { id } of accepted) await watch(hearth, id).final()
})

test('a prompt above the limit that was set is refused with the limit', async () => {
  const answer = await trySubmit(hearth, text({ prompt: 'x'.repeat(2001) }))
  expect(answer.fields).toMatchObject([
    { path: 'task.generateText.prompt', message: expect.stringContaining('2000') as string },
  ])
  const id = await submit(hearth, text({ prompt: 'word '.repeat(400), maxTokens: 1 }))
  expect((await watch(hearth, id).final()).__typename).toBe('JobSucceeded')
})

test('the limits that were set are told', async () => {
  const { server } = await hearth.ask<{ server: { limits: { name: string; value: string }[] } }>(
    '{ server { limits { name value } } }',
  )
  expect(server.limits).toEqual(
    expect.arrayContaining([
      { name: 'queue', value: '10' },
      { name: 'promptBytes', value: '2000' },
    ]),
  )
})

test('a flood of submissions is refused in part, and what was acknowledged is done', async () => {
  const writeQueueLimit = 100
  const flooded = await startServer({ environment: { HEARTH_WRITE_QUEUE_LIMIT: String(writeQueueLimit) } })
  const answers = await Promise.all(Array.from({ length: 1500 }, () => trySubmit(flooded, noop())))
  const accepted = answers.filter(({ job }) => job)
  const refused = answers.filter(({ job }) => !job)
  // No less than fits at once; how much more depends on how many commits the machine makes while the flood comes in.
  expect(accepted.length).toBeGreaterThanOrEqual(writeQueueLimit)
  for (const refusal of refused) {
    expect(refusal).toMatchObject({ __typename: 'OverloadedError', limit: 'write_queue' })
    expect(refusal.retryAfterMs).toBeGreaterThan(0)
  }
  await until('all is done', async () => {
    const { jobs } = await flooded.ask<{ jobs: { totalCount: number } }>(
      '{ jobs(first: 0, filter: { states: [SUCCEEDED] }) { totalCount } }',
    )
    return jobs.totalCount === accepted.length
  })
  const { jobs } = await flooded.ask<{ jobs: { totalCount: number } }>('{ jobs(first: 0) { totalCount } }')
  expect(jobs.totalCount).toBe(accepted.length)
  await flooded.stop()
})
