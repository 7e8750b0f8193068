import { afterAll, beforeAll, expect, test } from 'vitest'
import { withBrokenModels } from '../support/broken-models.ts'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { ModelWatch } from '../support/model-watch.ts'
import { embeddings, noop, submit, text, trySubmit } from '../support/submissions.ts'
import { until } from '../support/until.ts'

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth({ environment: await withBrokenModels() })
})
afterAll(() => hearth.stop())

test('models whose files are not what their manifest says are listed as refused, and folders that say nothing are left out', async () => {
  const { models } = await hearth.ask<{ models: { nodes: { name: string; current: { state: string } }[] } }>(
    '{ models(first: 100) { nodes { name current { state } } } }',
  )
  const states = Object.fromEntries(models.nodes.map(({ name, current }) => [name, current.state]))
  expect(states).toMatchObject({
    'wrong-digest': 'REFUSED',
    'no-gguf': 'REFUSED',
    'all-minilm-l6-v2': 'READY',
    noop: 'READY',
  })
  expect(Object.keys(states)).not.toContain('escaping')
  expect(hearth.log.filter((line) => /half-written|escaping/.test(line))).toHaveLength(2)
})

test('a refused model takes no jobs and says why', async () => {
  const wrongDigest = await trySubmit(hearth, { ...embeddings(['x']), model: 'wrong-digest' })
  expect(wrongDigest).toMatchObject({
    __typename: 'ConflictError',
    message: expect.stringMatching(/sha256|digest/i) as string,
  })
  const noGguf = await trySubmit(hearth, { ...text({ prompt: 'x' }), model: 'no-gguf' })
  expect(noGguf).toMatchObject({ __typename: 'ConflictError', message: expect.stringMatching(/GGUF/) as string })
  const load = 'mutation { loadModel(input: { model: "wrong-digest" }) { __typename } }'
  expect(await hearth.ask(load)).toEqual({ loadModel: { __typename: 'ConflictError' } })
})

test('a model that cannot be loaded fails its jobs with the words of the engine', async () => {
  const events = new ModelWatch(hearth, 'no-graph')
  const log = watch(hearth, await submit(hearth, { ...embeddings(['x']), model: 'no-graph' }))
  const { error } = await log.final()
  expect(error).toMatchObject({ code: 'ENGINE_ERROR', message: expect.stringMatching(/graph/) as string })
  // The subscription may have come too late for the first try, so there is another one.
  await watch(hearth, await submit(hearth, { ...embeddings(['y']), model: 'no-graph' })).final()
  await until('it is told', () => events.events.some(({ __typename }) => __typename === 'ModelLoadFailed'))
  await events.hangUp()
})

test('a job whose engine is not installed says what it lacks, and can be cancelled', async () => {
  const id = await submit(hearth, { ...noop(), model: 'no-engine' })
  const reason = await until('it says what it lacks', async () => {
    const { job } = await hearth.ask<{
      job: { state: string; waitReason: string | null; error: { message: string } | null }
    }>('query ($id: ID!) { job(id: $id) { state waitReason error { message } } }', { id })
    const said = job.error?.message ?? job.waitReason ?? ''
    return /not installed|no engine/i.test(said) && said
  })
  expect(reason).toContain('quantum')
  await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id })
  expect((await watch(hearth, id).final()).__typename).toMatch(/JobCancelled|JobFailed/)
})

test('good models are not disturbed by bad ones', async () => {
  for (const input of [noop({ value: 1 }), embeddings(['Good.']), text({ prompt: 'Say yes.', maxTokens: 2 })]) {
    expect((await watch(hearth, await submit(hearth, input)).final()).__typename).toBe('JobSucceeded')
  }
})
