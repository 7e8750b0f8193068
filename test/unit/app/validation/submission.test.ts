import { expect, test } from 'vitest'
import type { SubmitJobInput } from '../../../../src/app/app.ts'
import type { AppContext } from '../../../../src/app/context.ts'
import { Conflict, type FieldProblem, InvalidInput } from '../../../../src/app/errors.ts'
import { checkSubmissions } from '../../../../src/app/validation/submission.ts'
import { readConfig } from '../../../../src/config/config.ts'
import type { Manifest } from '../../../../src/runtime/models/manifest.ts'
import { component, pictureGraph, pictureModel, upscalerModel } from '../../../support/picture-models.ts'
import { picture } from '../../../support/pictures.ts'

const dataUrl = `data:image/png;base64,${Buffer.from(picture('png')).toString('base64')}`
const upscaling = { upscaleImage: { image: { dataUrl }, factor: 2 } }
const painting = { textToImage: { prompt: 'an apple', count: 1, seed: 3 } }
const previews = { everySteps: 5, maxWidth: 256 }

function contextOf(manifests: readonly Manifest[], settings: Readonly<Record<string, string>> = {}): AppContext {
  const entries = manifests.map((manifest) => ({
    manifest,
    model: { name: manifest.name, task: manifest.task },
    version: { sha256: '' },
    spec: {},
  }))
  return {
    config: readConfig(settings),
    clock: { now: () => 0 },
    catalogue: {
      resolve: (name: string) => entries.find(({ model }) => model.name === name) ?? null,
      names: () => entries.map(({ model }) => model.name),
    },
    shell: { misfit: () => null },
  } as unknown as AppContext
}

const models = [pictureModel(), upscalerModel()]

async function submit(input: SubmitJobInput, context = contextOf(models)) {
  const result = await checkSubmissions(context, [input], [''])
  if ('kind' in result) return { refusal: result, request: null }
  return { refusal: null, request: result[0]?.request }
}

async function problemsOf(input: SubmitJobInput): Promise<readonly FieldProblem[]> {
  const { refusal } = await submit(input)
  return refusal instanceof InvalidInput ? refusal.fields : []
}

test('what a job of pictures is accepted under is kept beside its task', async () => {
  const { request } = await submit({ model: 'painter', task: painting, previews })
  expect(request).toMatchObject({
    textToImage: { prompt: 'an apple', seed: 3 },
    terms: { format: 'png', safety: { policy: 'block', threshold: 0.6 }, previews },
  })
})

test('settings count as they are when a job comes in', async () => {
  const context = contextOf(models, { HEARTH_SAFETY_POLICY: 'flag', HEARTH_PICTURE_FORMAT: 'webp' })
  const { request } = await submit({ model: 'painter', task: painting }, context)
  expect(request).toMatchObject({ terms: { format: 'webp', safety: { policy: 'flag' }, previews: null } })
})

test('a picture that is only made larger is not checked', async () => {
  const { request } = await submit({ model: 'upscaler', task: upscaling })
  expect(request).toMatchObject({ upscaleImage: { factor: 2 }, terms: { safety: { policy: 'off' } } })
})

test('a seed that is not given is drawn once, within 31 bits', async () => {
  const { request } = await submit({ model: 'painter', task: { textToImage: { prompt: 'an apple', count: 1 } } })
  const seed = request?.textToImage?.seed ?? -1
  expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31).toBe(true)
})

test('previews are of textToImage only, and others are told so', async () => {
  expect(await problemsOf({ model: 'upscaler', task: upscaling, previews })).toEqual([
    { path: 'previews', message: 'only textToImage has previews; leave them out of upscaleImage.' },
  ])
  expect(await problemsOf({ model: 'upscaler', task: upscaling, previews: null })).toEqual([])
})

test.each([
  [{ everySteps: 0, maxWidth: 256 }, 'previews.everySteps'],
  [{ everySteps: 1.5, maxWidth: 256 }, 'previews.everySteps'],
  [{ everySteps: 1, maxWidth: 15 }, 'previews.maxWidth'],
  [{ everySteps: 1, maxWidth: 1025 }, 'previews.maxWidth'],
])('previews %o are out of bounds', async (wrong, path) => {
  const problems = await problemsOf({ model: 'painter', task: painting, previews: wrong })
  expect(problems.map((problem) => problem.path)).toEqual([path])
})

test.each([
  { everySteps: 1, maxWidth: 16 },
  { everySteps: 1000, maxWidth: 1024 },
])('previews %o are taken', async (good) => {
  expect(await problemsOf({ model: 'painter', task: painting, previews: good })).toEqual([])
})

test('a model that cannot show pictures on their way says so', async () => {
  const components = ['text_encoder', 'unet', 'vae_decoder', 'upscaler', 'safety_checker'].map((name) =>
    component(name),
  )
  const graph = pictureGraph.map((node) => (node.node === 'denoise' ? { ...node, components: ['unet'] } : node))
  const context = contextOf([pictureModel({ components, graph })])
  const { refusal } = await submit({ model: 'painter', task: painting, previews }, context)
  expect(refusal).toMatchObject({ fields: [{ path: 'previews' }] })
  expect((await submit({ model: 'painter', task: painting }, context)).refusal).toBeNull()
})

test('a model without a safety checker is refused while pictures are to be checked', async () => {
  const unchecked = pictureModel({ graph: pictureGraph.filter(({ node }) => node !== 'check') })
  const { refusal } = await submit({ model: 'painter', task: painting }, contextOf([unchecked]))
  expect(refusal).toBeInstanceOf(Conflict)
  expect(refusal?.message).toMatch(/painter has no safety checker.*HEARTH_SAFETY_POLICY=off/)
  const free = contextOf([unchecked], { HEARTH_SAFETY_POLICY: 'off' })
  expect((await submit({ model: 'painter', task: painting }, free)).refusal).toBeNull()
})

test('what is wrong with the task, its previews and its key is told together, also of a model that is unknown', async () => {
  const input = {
    model: 'painter',
    task: { textToImage: { prompt: '', count: 1 } },
    previews: { everySteps: 0, maxWidth: 1 },
  }
  const paths = ['previews.everySteps', 'previews.maxWidth', 'task.textToImage.prompt']
  expect((await problemsOf(input)).map(({ path }) => path)).toEqual(paths)
  expect((await problemsOf({ ...input, model: 'nobody' })).map(({ path }) => path)).toEqual(paths)
})

test('a model is asked for what it does', async () => {
  expect((await problemsOf({ model: 'painter', task: upscaling })).map(({ path }) => path)).toEqual(['task'])
})
