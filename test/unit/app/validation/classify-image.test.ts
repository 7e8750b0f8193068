import { expect, test } from 'vitest'
import type { ImageInput } from '../../../../src/app/app.ts'
import { normaliseClassifyImage } from '../../../../src/app/validation/classify-image.ts'
import { bytesOfDataUrl } from '../../../../src/app/validation/image-input.ts'
import type { InputArtifacts } from '../../../../src/app/validation/input-artifacts.ts'
import { Problems } from '../../../../src/app/validation/problems.ts'
import type { ArtifactId } from '../../../../src/store/records.ts'
import { artifactRecord } from '../../../support/artifacts.ts'

/** One grey pixel. */
const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCBd81ytgAAAABJRU5ErkJggg=='
const picture = {
  ...artifactRecord({ id: 1 as ArtifactId, sizeBytes: 500, mimeType: 'image/jpeg' }),
  width: 30,
  height: 20,
}
const artifacts: InputArtifacts = new Map([
  [picture.id, { record: picture, npy: null }],
  [
    2 as ArtifactId,
    { record: artifactRecord({ id: 2 as ArtifactId, sizeBytes: 500, mimeType: 'application/pdf' }), npy: null },
  ],
  [3 as ArtifactId, { record: { ...picture, id: 3 as ArtifactId, width: 3000 }, npy: null }],
])

function normalise(image: ImageInput, topK = 5) {
  const problems = new Problems('task.classifyImage')
  const request = normaliseClassifyImage({ image, topK }, artifacts, 1000, problems)
  return { request, problems: problems.found.map(({ path, message }) => `${path}: ${message}`) }
}

test('a picture is taken from a file or from the request itself', () => {
  const { id, sha256, mimeType, sizeBytes } = picture
  expect(normalise({ artifactId: id }, 2)).toEqual({
    problems: [],
    request: { image: { artifact: { artifactId: id, sha256, mimeType, sizeBytes } }, topK: 2 },
  })
  expect(normalise({ dataUrl: pixel })).toEqual({ problems: [], request: { image: { dataUrl: pixel }, topK: 5 } })
  expect(Buffer.from(bytesOfDataUrl(pixel)).subarray(1, 4).toString()).toBe('PNG')
})

test.each<[string, ImageInput, string]>([
  [
    'no picture',
    { artifactId: 2 as ArtifactId },
    'image.artifactId: must be a picture (PNG, JPEG, WebP, GIF or BMP); this artifact is application/pdf.',
  ],
  ['too many pixels', { artifactId: 3 as ArtifactId }, 'image.artifactId: has 3000 x 20 pixels, of at most 1000'],
  ['a file that is gone', { artifactId: 9 as ArtifactId }, 'image.artifactId: no artifact of this id is here'],
  ['no id', { artifactId: { malformed: 'x' } }, 'image.artifactId: "x" is not the id of an artifact'],
  ['no data URL', { dataUrl: 'https://example.org/cat.png' }, 'image.dataUrl: must be like data:image/png;base64'],
  ['a text', { dataUrl: 'data:text/plain;base64,aGVsbG8=' }, 'image.dataUrl: holds text/plain'],
])('%s is refused in words', (_, image, words) => {
  expect(normalise(image).problems).toEqual([expect.stringContaining(`task.classifyImage.${words}`)])
})

test.each([0, -1, 1001])('topK %i is out of range', (topK) => {
  expect(normalise({ dataUrl: pixel }, topK).problems).toEqual([
    `task.classifyImage.topK: must be a whole number from 1 to 1000; given: ${topK}.`,
  ])
})
