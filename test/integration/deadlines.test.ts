import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { serial, withModels } from '../support/models.ts'
import { noop, submit, text } from '../support/submissions.ts'

const endless = { steps: 100_000, stepMs: 5 }

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth({ environment: await withModels(serial) })
  // A deadline of a running job is about its steps, so its worker has to be there.
  await watch(hearth, await submit(hearth, noop())).final()
})
afterAll(() => hearth.stop())

const inMs = (ms: number) => ({ deadline: new Date(Date.now() + ms).toISOString() })

test('a running job fails at the next step after its deadline', async () => {
  const log = watch(hearth, await submit(hearth, noop(endless, inMs(400))))
  await log.event('JobStarted')
  const end = await log.final(5000)
  expect(end).toMatchObject({ __typename: 'JobFailed', error: { code: 'DEADLINE_EXCEEDED' } })
  expect(end.error?.message).toMatch(/deadline/i)
})

test('a text fails at its deadline too', async () => {
  const log = watch(
    hearth,
    await submit(hearth, text({ prompt: 'Write a very long story.', maxTokens: 1500 }, inMs(2500))),
  )
  await log.event('TextDelta')
  expect(await log.final(10_000)).toMatchObject({ __typename: 'JobFailed', error: { code: 'DEADLINE_EXCEEDED' } })
})

test('a job whose deadline passes while it waits never starts, and those behind it go on', async () => {
  const blocker = await submit(hearth, noop(endless, { model: 'serial' }))
  await watch(hearth, blocker).event('JobStarted')
  const ahead = await submit(hearth, noop({}, { model: 'serial' }))
  const late = await submit(hearth, noop({}, { model: 'serial', ...inMs(300) }))
  const lateToo = watch(hearth, await submit(hearth, noop({}, { model: 'serial', ...inMs(300) })))
  const log = watch(hearth, late)
  for (const expired of [log, lateToo]) {
    expect(await expired.final(5000)).toMatchObject({ __typename: 'JobFailed', error: { code: 'DEADLINE_EXCEEDED' } })
    expect(expired.types).not.toContain('JobStarted')
  }
  await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id: blocker })
  expect((await watch(hearth, ahead).final()).__typename).toBe('JobSucceeded')
})

test('a deadline that is not reached changes nothing, and is told', async () => {
  const deadline = inMs(60_000)
  const id = await submit(hearth, noop({ steps: 3 }, deadline))
  expect((await watch(hearth, id).final()).__typename).toBe('JobSucceeded')
  const { job } = await hearth.ask<{ job: { deadline: string } }>('query ($id: ID!) { job(id: $id) { deadline } }', {
    id,
  })
  expect(Date.parse(job.deadline)).toBe(Date.parse(deadline.deadline))
})
