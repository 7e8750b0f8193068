import { expect, test } from 'vitest'
import type { PictureTerms } from '../../../src/app/picture-terms.ts'
import { type AcceptedRequest, artifactIdsOf, shownRequest } from '../../../src/app/request-artifacts.ts'
import type { ArtifactId } from '../../../src/store/records.ts'

const artifact = (id: number) => ({ artifactId: id as ArtifactId, sha256: '', mimeType: 'image/png', sizeBytes: 1 })
const encode = (id: ArtifactId) => `id-${id}`
const terms: PictureTerms = { format: 'png', safety: { policy: 'block', threshold: 0.8 }, previews: null }
const textToImage = {
  prompt: 'an apple',
  negativePrompt: '',
  width: 64,
  height: 64,
  steps: 20,
  guidance: 3,
  seed: 1,
  count: 1,
  upscale: 1,
}
/** What a caller may put into a request must never be taken for ours. */
const alike = { artifact: artifact(66), artifacts: [artifact(66)] }

test.each<[string, AcceptedRequest, readonly number[], unknown]>([
  [
    'a picture',
    { classifyImage: { image: { artifact: artifact(3) }, topK: 5 } },
    [3],
    { classifyImage: { image: { artifactId: 'id-3' }, topK: 5 } },
  ],
  [
    'a picture inside the request',
    { classifyImage: { image: { dataUrl: 'data:' }, topK: 5 } },
    [],
    { classifyImage: { image: { dataUrl: 'data:' }, topK: 5 } },
  ],
  [
    'a picture to be made larger, without its terms',
    { upscaleImage: { image: { artifact: artifact(3) }, factor: 2 }, terms },
    [3],
    { upscaleImage: { image: { artifactId: 'id-3' }, factor: 2 } },
  ],
  ['a picture to be made, without its terms', { textToImage, terms }, [], { textToImage }],
  [
    'tensors',
    {
      infer: {
        tensors: [
          { name: 'a', dtype: 'uint8', shape: [1], artifact: artifact(4) },
          { name: 'b', dtype: 'uint8', shape: [1], values: [alike] },
          { name: 'c', dtype: 'uint8', shape: [1], artifact: artifact(4) },
        ],
        outputs: null,
      },
    },
    [4],
    {
      infer: {
        tensors: [
          { name: 'a', dtype: 'uint8', shape: [1], artifactId: 'id-4' },
          { name: 'b', dtype: 'uint8', shape: [1], values: [alike] },
          { name: 'c', dtype: 'uint8', shape: [1], artifactId: 'id-4' },
        ],
        outputs: null,
      },
    },
  ],
  [
    'files of a program',
    { program: { name: 'p', parameters: alike, artifacts: [artifact(6), artifact(5)] } },
    [6, 5],
    { program: { name: 'p', parameters: alike, artifactIds: ['id-6', 'id-5'] } },
  ],
  ['no files', { program: { name: 'p', parameters: alike } }, [], { program: { name: 'p', parameters: alike } }],
])('%s: what is held, and what callers are shown', (_, request, ids, shown) => {
  expect(artifactIdsOf(request)).toEqual(ids)
  expect(shownRequest(request, encode)).toEqual(shown)
})

test('a request that retention has removed is shown as none', () => {
  expect(shownRequest(null, encode)).toBeNull()
})
