import { describe, expect, test } from 'vitest'
import type { TextToImageInput } from '../../../../src/app/app.ts'
import { Problems } from '../../../../src/app/validation/problems.ts'
import { normaliseTextToImage } from '../../../../src/app/validation/text-to-image.ts'
import { pictureModel } from '../../../support/picture-models.ts'

const painter = pictureModel()

function normalise(input: Partial<TextToImageInput>, manifest = painter, promptBytesMax = 100) {
  const problems = new Problems('task.textToImage')
  const whole = { prompt: 'a red apple', count: 1, ...input }
  const request = normaliseTextToImage(whole, manifest, promptBytesMax, () => 42, problems)
  return { request, problems: problems.found.map(({ path, message }) => `${path}: ${message}`) }
}

test('what is not given comes from the manifest, and a seed is drawn', () => {
  expect(normalise({})).toEqual({
    problems: [],
    request: {
      prompt: 'a red apple',
      negativePrompt: '',
      width: 64,
      height: 64,
      steps: 20,
      guidance: 3,
      seed: 42,
      count: 1,
      upscale: 1,
    },
  })
})

test('where the manifest says nothing either, the first size and never more steps than allowed', () => {
  const bare = pictureModel({ defaults: {}, limits: { maxSteps: 8 } })
  expect(normalise({}, bare).request).toMatchObject({ width: 64, height: 64, steps: 8, upscale: 1 })
})

test('blanks to be kept away from are nothing to be kept away from', () => {
  expect(normalise({ negativePrompt: ' \n' })).toMatchObject({ problems: [], request: { negativePrompt: '' } })
})

test('a picture that would be made too large is refused, and the same one as it is made is not', () => {
  const small = pictureModel({ limits: { maxResultPixels: 128 * 128 } })
  expect(normalise({ upscale: 2 }, small).problems).toEqual([])
  expect(normalise({ upscale: 4 }, small).problems).toEqual([
    'task.textToImage.upscale: would make 256 x 256 pixels of it, of at most 16384 that this model makes; ask for a smaller size or factor.',
  ])
  expect(normalise({}, pictureModel({ limits: { maxResultPixels: 1 } })).problems).toEqual([])
})

test('zero is a seed and a guidance, not a missing one', () => {
  expect(normalise({ seed: 0, guidance: 0 })).toMatchObject({ problems: [], request: { seed: 0, guidance: 0 } })
})

test('each limit itself is allowed', () => {
  const most = { steps: 50, guidance: 30, seed: 2 ** 31 - 1, count: 16, upscale: 4, width: 64, height: 96 }
  expect(normalise(most)).toMatchObject({ problems: [], request: most })
  expect(normalise({ steps: 1, upscale: 1 }).problems).toEqual([])
})

describe('what is wrong is told with what is allowed', () => {
  test.each<[string, Partial<TextToImageInput>, string]>([
    ['no prompt', { prompt: ' ' }, 'prompt: must not be empty.'],
    ['a long prompt', { prompt: 'ü'.repeat(51) }, 'prompt: must be at most 100 bytes; given: 102.'],
    ['half a character', { negativePrompt: 'a\ud800' }, 'negativePrompt: must be well-formed Unicode'],
    [
      'a width that it does not make',
      { width: 65 },
      'width: this model makes pictures of 64 x 64, 64 x 96 pixels; given: 65 x 64.',
    ],
    ['a height that does not go with the width', { height: 65 }, 'height: this model makes pictures of'],
    ['no steps', { steps: 0 }, 'steps: must be a whole number from 1 to 50; given: 0.'],
    ['too many steps', { steps: 51 }, 'steps: must be'],
    ['half a step', { steps: 1.5 }, 'steps: must be'],
    ['a guidance below zero', { guidance: -0.1 }, 'guidance: must be at least 0 and at most 30; given: -0.1.'],
    ['too much guidance', { guidance: 30.1 }, 'guidance: must be'],
    ['a guidance that is no number', { guidance: Number.NaN }, 'guidance: must be'],
    ['a guidance without end', { guidance: Infinity }, 'guidance: must be'],
    ['a seed below zero', { seed: -1 }, 'seed: must be a whole number from 0 to 2147483647; given: -1.'],
    ['a seed of more than 31 bits', { seed: 2 ** 31 }, 'seed: must be'],
    ['no picture', { count: 0 }, 'count: must be a whole number from 1 to 16; given: 0.'],
    ['too many pictures', { count: 17 }, 'count: must be'],
    ['a factor that it does not have', { upscale: 3 }, 'upscale: must be one of 1, 2, 4 (1 = none); given: 3.'],
    ['a factor of nothing', { upscale: 0 }, 'upscale: must be'],
  ])('%s', (_, input, problem) => {
    const { problems } = normalise(input)
    expect(problems).toEqual([expect.stringContaining(`task.textToImage.${problem}`)])
  })

  test('all of it at once', () => {
    const { problems } = normalise({ prompt: '', width: 1, steps: 0, guidance: 99, seed: -1, count: 0, upscale: 9 })
    expect(problems).toHaveLength(7)
  })

  test('a model that makes nothing larger has the factor 1', () => {
    const graph = painter.graph
      .filter(({ when }) => when !== 'upscale')
      .map((node) => ({ ...node, after: node.after.filter((name) => name !== 'upscale') }))
    const options = { ...painter.options, upscale: undefined }
    const plain = pictureModel({ graph, options })
    expect(normalise({ upscale: 2 }, plain).problems).toEqual([
      'task.textToImage.upscale: must be one of 1 (1 = none); given: 2.',
    ])
  })
})
