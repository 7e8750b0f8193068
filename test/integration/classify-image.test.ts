/** classifyImage with the starter model: uploaded and inline pictures, and pictures that are none. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { png } from '../support/png.ts'
import { type EndedJob, runJob, upload } from '../support/uploads.ts'

const labels = '... on ClassificationOutput { labels { label score } }'
/** As python_runtime/tests/support/pictures.py makes it; the score is the reference's own. */
const skin = png(320, 320, (x, y) => {
  const distance = Math.floor(((2 * x - 320) ** 2 * 64) / 320 ** 2) + Math.floor(((2 * y - 320) ** 2 * 64) / 320 ** 2)
  return [240 - distance, 190 - distance, 160 - distance]
})
const skinScore = 0.30666

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

const task = (image: object, topK = 5) => ({ model: 'open-nsfw', task: { classifyImage: { image, topK } } })
const classify = (image: object, topK = 5): Promise<EndedJob> => runJob(hearth, task(image, topK), labels)

test('an uploaded picture and the same one inline have the score of the reference', async () => {
  const dataUrl = `data:image/png;base64,${skin.toString('base64')}`
  const answers = [await classify({ artifactId: await upload(hearth, skin, 'image/png') }), await classify({ dataUrl })]
  for (const { output } of answers)
    expect(output).toEqual({
      labels: [
        { label: 'sfw', score: expect.closeTo(1 - skinScore, 3) },
        { label: 'nsfw', score: expect.closeTo(skinScore, 3) },
      ],
    })
})

test('only as many labels as asked for come back', async () => {
  const { output } = await classify({ dataUrl: `data:image/png;base64,${skin.toString('base64')}` }, 1)
  expect(output).toEqual({ labels: [{ label: 'sfw', score: expect.any(Number) }] })
})

test('a picture that is cut off is refused in words', async () => {
  const cutOff = skin.subarray(0, skin.length / 2)
  const dataUrl = `data:image/png;base64,${cutOff.toString('base64')}`
  // By its header it is a picture, so it is accepted; that it ends too early shows when it is decoded.
  const { state, error } = await classify({ dataUrl })
  expect([state, error?.message]).toEqual(['FAILED', expect.stringContaining('broken or cut off')])
})
