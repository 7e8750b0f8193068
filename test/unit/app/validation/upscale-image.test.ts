import { expect, test } from 'vitest'
import type { ImageInput } from '../../../../src/app/app.ts'
import type { InputArtifacts } from '../../../../src/app/validation/input-artifacts.ts'
import { Problems } from '../../../../src/app/validation/problems.ts'
import { normaliseUpscaleImage } from '../../../../src/app/validation/upscale-image.ts'
import type { ArtifactId } from '../../../../src/store/records.ts'
import { artifactRecord } from '../../../support/artifacts.ts'
import { upscalerModel } from '../../../support/picture-models.ts'
import { picture } from '../../../support/pictures.ts'

const pixelsMax = 1000
const file = (id: number, width: number | null, height: number | null) => ({
  ...artifactRecord({ id: id as ArtifactId, sizeBytes: 500, mimeType: 'image/png' }),
  width,
  height,
})
const [fits, tooLargeMade, tooLarge, unknown] = [
  file(1, 25, 10),
  file(2, 26, 10),
  file(3, 1001, 1),
  file(4, null, null),
]
const artifacts: InputArtifacts = new Map(
  [fits, tooLargeMade, tooLarge, unknown].map((record) => [record.id, { record, npy: null }]),
)
const dataUrl = `data:image/png;base64,${Buffer.from(picture('png')).toString('base64')}`

function normalise(image: ImageInput, factor = 2, factors = [2]) {
  const problems = new Problems('task.upscaleImage')
  const manifest = upscalerModel({ options: { upscale: { factors } }, limits: { maxResultPixels: pixelsMax } })
  const request = normaliseUpscaleImage({ image, factor }, manifest, artifacts, pixelsMax, problems)
  return { request, problems: problems.found.map(({ path, message }) => `${path}: ${message}`) }
}

test('a picture is taken from a file or from the request itself', () => {
  const { id, sha256, mimeType, sizeBytes } = fits
  expect(normalise({ artifactId: id })).toEqual({
    problems: [],
    request: { image: { artifact: { artifactId: id, sha256, mimeType, sizeBytes } }, factor: 2 },
  })
  expect(normalise({ dataUrl })).toEqual({ problems: [], request: { image: { dataUrl }, factor: 2 } })
})

test('a picture of unknown size is left to its decoder', () => {
  expect(normalise({ artifactId: unknown.id }).problems).toEqual([])
})

test.each<[string, ImageInput, number, string]>([
  ['a factor that it does not have', { artifactId: fits.id }, 3, 'factor: must be 2 with this model; given: 3.'],
  ['none', { artifactId: fits.id }, 1, 'factor: must be 2 with this model; given: 1.'],
  [
    'too many pixels to begin with',
    { artifactId: tooLarge.id },
    2,
    'image.artifactId: has 1001 x 1 pixels, of at most 1000',
  ],
  [
    'too many pixels in the end',
    { artifactId: tooLargeMade.id },
    2,
    'factor: would make 52 x 20 pixels of it, of at most 1000 that this model makes; give a smaller picture.',
  ],
  ['a file that is gone', { artifactId: 9 as ArtifactId }, 2, 'image.artifactId: no artifact of this id is here'],
  ['no picture', { dataUrl: 'data:image/png;base64,AAAA' }, 2, 'image.dataUrl: says image/png'],
])('%s is refused in words', (_, image, factor, words) => {
  expect(normalise(image, factor).problems).toEqual([expect.stringContaining(`task.upscaleImage.${words}`)])
})

test('of several factors all are named', () => {
  expect(normalise({ artifactId: fits.id }, 3, [1, 2, 4]).problems).toEqual([
    'task.upscaleImage.factor: must be one of 2, 4 with this model; given: 3.',
  ])
})
