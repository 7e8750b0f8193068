/** classifyImage: what is taken as a picture, and what is refused before anything is queued. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { run } from '../support/outputs.ts'
import { picture, pictures } from '../support/pictures.ts'
import { trySubmit } from '../support/submissions.ts'
import { upload } from '../support/uploads.ts'

const model = 'open-nsfw'

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

function classify(image: object, topK?: number) {
  return { model, task: { classifyImage: { image, ...(topK === undefined ? {} : { topK }) } } }
}

test('the accepted request shows the picture as it was given, with what was left out', async () => {
  const dataUrl = `data:image/png;base64,${pictures.png}`
  const artifactId = await upload(hearth, picture('png'), 'image/png')
  const inline = await run(hearth, classify({ dataUrl }))
  const uploaded = await run(hearth, classify({ artifactId }))
  expect(inline.request).toEqual({ classifyImage: { image: { dataUrl }, topK: 5 } })
  expect(uploaded.request).toEqual({ classifyImage: { image: { artifactId }, topK: 5 } })
})

test.each<[string, () => Promise<object> | object, number, string, string]>([
  [
    'no picture',
    async () => ({ artifactId: await upload(hearth, Buffer.from('a,b'), 'text/csv') }),
    5,
    'image.artifactId',
    'must be a picture',
  ],
  [
    'another picture than it says',
    () => ({ dataUrl: `data:image/png;base64,${pictures.gif}` }),
    5,
    'image.dataUrl',
    'says image/png',
  ],
  ['an address', () => ({ dataUrl: 'https://example.org/a.png' }), 5, 'image.dataUrl', 'data:image/png;base64'],
  ['nothing of an id', () => ({ artifactId: 'nonsense' }), 5, 'image.artifactId', 'not the id of an artifact'],
  ['no labels at all', () => ({ dataUrl: `data:image/png;base64,${pictures.png}` }), 0, 'topK', 'from 1 to 1000'],
])('%s is refused before it is queued', async (_, image, topK, path, words) => {
  const { fields } = await trySubmit(hearth, classify(await image(), topK))
  expect(fields).toEqual([{ path: `task.classifyImage.${path}`, message: expect.stringContaining(words) }])
})
