import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { png } from '../support/png.ts'
import { type JobInput, submit, trySubmit } from '../support/submissions.ts'
import { upload } from '../support/uploads.ts'

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

const meadow = (width: number, height: number) =>
  png(width, height, (_, y) => (y < height / 2 ? [90, 160, 230] : [60, 140, 60]))
const dataUrl = (bytes: Buffer) => `data:image/png;base64,${bytes.toString('base64')}`
const larger = (image: object, factor = 2): JobInput => ({
  model: 'ember-upscaler',
  task: { upscaleImage: { image, factor } },
})

async function upscale(image: object) {
  const { images = [] } = await watch(hearth, await submit(hearth, larger(image))).output()
  return images
}

test.for([
  [16, 16],
  [33, 20],
  [150, 97],
] as const)('a picture of %i by %i pixels becomes one of twice the size', async ([width, height]) => {
  const [image] = await upscale({ dataUrl: dataUrl(meadow(width, height)) })
  expect(image).toMatchObject({
    withheld: false,
    seed: 0,
    safety: null,
    image: { mimeType: 'image/png', width: 2 * width, height: 2 * height },
  })
})

test('an upload and the same picture in the request give the same result', async () => {
  const bytes = meadow(40, 24)
  const artifactId = await upload(hearth, bytes, 'image/png')
  const [uploaded, given] = await Promise.all([upscale({ artifactId }), upscale({ dataUrl: dataUrl(bytes) })])
  expect(uploaded[0]?.image?.sha256).toBe(given[0]?.image?.sha256)
})

test('what a job has made can be made larger by another', async () => {
  const query = `query ($id: ID!) { job(id: $id) { output { ... on ImagesOutput { images { image { id } } } } } }`
  const id = await submit(hearth, larger({ dataUrl: dataUrl(meadow(16, 16)) }))
  await watch(hearth, id).final()
  type Answer = { job: { output: { images: { image: { id: string } }[] } } }
  const { job } = await hearth.ask<Answer>(query, { id })
  const [twice] = await upscale({ artifactId: job.output.images[0]?.image.id })
  expect(twice?.image).toMatchObject({ width: 64, height: 64 })
})

test('a factor that the model cannot do is refused with those that it can', async () => {
  const answer = await trySubmit(hearth, larger({ dataUrl: dataUrl(meadow(16, 16)) }, 3))
  expect(answer).toMatchObject({
    __typename: 'InvalidInputError',
    fields: [{ path: 'task.upscaleImage.factor', message: expect.stringContaining('2') }],
  })
})
