import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { type JobOutput, type PictureOutput, watch } from '../support/job-log.ts'
import { errorFields, picture, submit } from '../support/submissions.ts'

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

/** The pictures of a job that succeeds. */
async function make(input: Parameters<typeof picture>[0], rest: Readonly<Record<string, unknown>> = {}) {
  return picturesOf(await watch(hearth, await submit(hearth, picture(input, rest))).output())
}
function picturesOf({ images = [] }: JobOutput): readonly PictureOutput[] {
  return images
}
const digests = (pictures: readonly PictureOutput[]) => pictures.map(({ image }) => image?.sha256)

test('a picture comes as a PNG of the size that was asked for, with what made it inside', async () => {
  const [made] = await make({ steps: 4 })
  expect(made).toMatchObject({ withheld: false, seed: 7, image: { mimeType: 'image/png', width: 64, height: 64 } })
  const response = await fetch(made?.image?.url ?? '')
  expect(response.headers.get('content-type')).toBe('image/png')
  const bytes = Buffer.from(await response.arrayBuffer())
  expect(bytes.subarray(1, 4).toString('latin1')).toBe('PNG')
  for (const words of ['noto red apple on a blue background', 'seed', 'ember']) expect(bytes.includes(words)).toBe(true)
})

test('the same seed gives the same bytes, alone and beside pictures of other prompts and steps', async () => {
  const [alone] = digests(await make({ steps: 8 }))
  const others = [
    make({ steps: 8 }),
    make({ steps: 5, prompt: 'fluent rocket on a yellow background' }),
    make({ steps: 11, seed: 9, guidance: 1.5 }),
    make({ steps: 8, negativePrompt: 'green' }),
  ]
  const [again, ...rest] = (await Promise.all(others)).flatMap(digests)
  expect(again).toBe(alone)
  expect(new Set([alone, ...rest]).size).toBe(4)
})

test('each picture of a job has the next seed, and is the picture that its seed makes alone', async () => {
  const pictures = await make({ steps: 4, seed: 20, count: 3 })
  expect(pictures.map(({ seed }) => seed)).toEqual([20, 21, 22])
  expect(new Set(digests(pictures)).size).toBe(3)
  expect(digests(await make({ steps: 4, seed: 22 }))).toEqual([pictures[2]?.image?.sha256])
})

test('steps are told for each picture, counted for all, and postprocessing before the end', async () => {
  const id = await submit(hearth, picture({ steps: 6, count: 2 }))
  const log = watch(hearth, id)
  await log.final()
  const steps = log.events.filter(({ __typename }) => __typename === 'StepCompleted')
  for (const item of [0, 1]) {
    const own = steps.filter((event) => event.item === item)
    expect(own.map(({ totalSteps }) => totalSteps)).toEqual(own.map(() => 6))
    expect(own.at(-1)?.step).toBe(6)
  }
  expect(log.types.filter((type) => type.startsWith('Job')).slice(-2)).toEqual(['JobPostprocessing', 'JobSucceeded'])
  const { job } = await hearth.ask<{ job: { progress: object; timings: Readonly<Record<string, number>> } }>(
    'query ($id: ID!) { job(id: $id) { progress { done total unit } timings { queueMs runMs postprocessMs pausedMs totalMs } } }',
    { id },
  )
  expect(job.progress).toEqual({ done: 12, total: 12, unit: 'STEPS' })
  const { queueMs = NaN, runMs = NaN, postprocessMs = NaN, totalMs = NaN } = job.timings
  expect(queueMs + runMs + postprocessMs).toBeLessThanOrEqual(totalMs)
  expect(job.timings['pausedMs']).toBe(0)
})

test('every picture carries the verdict of the safety check', async () => {
  for (const { safety } of await make({ steps: 4, count: 2 }))
    expect(safety).toMatchObject({ safe: true, checkedBy: 'open-nsfw', score: expect.any(Number) })
})

test('an upscaled picture is twice as wide and high, and its seed still makes it', async () => {
  const pictures = await make({ steps: 4, upscale: 2 })
  expect(pictures).toMatchObject([{ image: { width: 128, height: 128 } }])
  expect(digests(await make({ steps: 4, upscale: 2 }))).toEqual(digests(pictures))
})

test('tasks hand their results to each other without a copy', async () => {
  const figures = async () => {
    const query = '{ server { tensorPool { handedTensors handOverCopiedBytes } } }'
    const { server } = await hearth.ask<{ server: { tensorPool: Readonly<Record<string, number>> } }>(query)
    return server.tensorPool
  }
  const before = await figures()
  await make({ steps: 4, upscale: 2 })
  // Workers tell their figures now and then.
  const handed = async () => (await figures())['handedTensors']
  await expect.poll(handed, { timeout: 20_000 }).toBeGreaterThan(before['handedTensors'] ?? 0)
  expect((await figures())['handOverCopiedBytes']).toBe(before['handOverCopiedBytes'])
})

test('a cancelled job stops at its next step, says where, and keeps no picture', async () => {
  const id = await submit(hearth, picture({ steps: 100, count: 2 }))
  const log = watch(hearth, id)
  await log.event('StepCompleted')
  await hearth.ask(`mutation ($id: ID!) { cancelJob(id: $id) { __typename ${errorFields} } }`, { id })
  const final = await log.final()
  expect(final.__typename).toBe('JobCancelled')
  expect(final.message).toMatch(/^Cancelled after \d+ of 200 steps; 0 of 2 pictures were finished, none is kept\.$/)
  const { job } = await hearth.ask<{ job: object }>(
    'query ($id: ID!) { job(id: $id) { state output { __typename } } }',
    {
      id,
    },
  )
  expect(job).toEqual({ state: 'CANCELLED', output: null })
})

test('while a model loads, its residency tells the components that are there, and how many bytes', async () => {
  const query = '{ model(name: "ember") { components { name } residencies { loadedBytes components { name } } } }'
  await make({ steps: 1 })
  const { model } = await hearth.ask<{
    model: { components: object[]; residencies: { loadedBytes: number; components: object[] }[] }
  }>(query)
  expect(model.residencies).toHaveLength(1)
  expect(model.residencies[0]?.components).toEqual(model.components)
  expect(model.residencies[0]?.loadedBytes).toBeGreaterThan(20_000_000)
})
