import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { download, run } from '../support/outputs.ts'
import { embeddings, submit, submitAll } from '../support/submissions.ts'

const eating = 'A man is eating food.'
const bread = 'A man is eating a piece of bread.'
const carts = 'Two men pushed carts through the woods.'
/** What an embedding may change by in other company. */
const tolerance = 1e-5

type Vector = readonly number[]

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

async function vectorsOf(jobId: string): Promise<readonly Vector[]> {
  return (await watch(hearth, jobId).output()).embeddings ?? []
}
async function embed(...texts: readonly string[]): Promise<readonly Vector[]> {
  return vectorsOf(await submit(hearth, embeddings(texts)))
}

test('sentences are as near to each other as the reference says', async () => {
  const [first, second, third] = await embed(eating, bread, carts)
  expect(cosine(first!, second!)).toBeCloseTo(0.7553, 4)
  expect(cosine(first!, third!)).toBeCloseTo(-0.0333, 4)
})

test('each text gives one vector of length one, in the order given', async () => {
  const output = await watch(hearth, await submit(hearth, embeddings([carts, eating, carts]))).output()
  expect(output).toMatchObject({ __typename: 'EmbeddingsOutput', count: 3, dimensions: 384 })
  const [first, second, third] = output.embeddings ?? []
  expect(first).toHaveLength(384)
  for (const vector of [first!, second!, third!]) expect(Math.hypot(...vector)).toBeCloseTo(1, 4)
  expect(distance(first!, third!)).toBeLessThan(tolerance)
  expect(distance(first!, second!)).toBeGreaterThan(0.1)
})

test('a text has the same embedding alone as among others of any length', async () => {
  const [alone] = await embed(eating)
  const company = [carts, bread, 'Yes.', 'word '.repeat(200), eating, carts.repeat(10)]
  const [, , , , among] = await embed(...company)
  expect(distance(alone!, among!)).toBeLessThan(tolerance)
})

test('jobs that share steps with others get the embeddings they get alone', async () => {
  const texts = Array.from({ length: 24 }, (_, index) => `Sentence ${'and more '.repeat(index * 2)}number ${index}.`)
  const alone: Vector[] = []
  for (const text of texts.slice(0, 4)) alone.push((await embed(text))[0]!)
  const together = await Promise.all(
    (
      await submitAll(
        hearth,
        texts.map((text) => embeddings([text])),
      )
    ).map(vectorsOf),
  )
  for (const [index, vector] of alone.entries()) expect(distance(vector, together[index]![0]!)).toBeLessThan(tolerance)
})

test('256 texts come back as vectors', async () => {
  const texts = Array.from({ length: 256 }, (_, index) => `Text ${index}.`)
  const vectors = await embed(...texts)
  expect(vectors).toHaveLength(256)
  expect(distance(vectors[200]!, (await embed('Text 200.'))[0]!)).toBeLessThan(tolerance)
})

test('more texts than 256 come back as one file, in the order given', async () => {
  const texts = Array.from({ length: 300 }, (_, index) => `Text ${index}.`)
  const { output } = await run(hearth, embeddings(texts))
  expect(output).toMatchObject({ count: 300, embeddings: null })
  expect(output?.artifact?.mimeType).toBe('application/vnd.hearth.tensor; dtype=float32; shape=300x384')
  const bytes = await download(output!.artifact!)
  expect(bytes).toHaveLength(300 * 384 * 4)
  const row = Array.from({ length: 384 }, (_, index) => bytes.readFloatLE((200 * 384 + index) * 4))
  expect(distance(row, (await embed('Text 200.'))[0]!)).toBeLessThan(tolerance)
})

test('text of any language and any length below the limit has an embedding', async () => {
  const [vector] = await embed('Ein Satz mit Umlauten: äöü. 日本語の文章。 😀 '.repeat(100))
  expect(Math.hypot(...vector!)).toBeCloseTo(1, 4)
})

function cosine(a: Vector, b: Vector): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0) / (Math.hypot(...a) * Math.hypot(...b))
}
/** The largest difference of any component. */
function distance(a: Vector, b: Vector): number {
  return Math.max(...a.map((value, index) => Math.abs(value - b[index]!)))
}
