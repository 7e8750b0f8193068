import { expect, test } from 'vitest'
import { finishOutput, type TaskOutput } from '../../../../src/app/outputs/finish-output.ts'
import { UnsafeContent } from '../../../../src/app/outputs/finish-pictures.ts'
import { BrokenContract } from '../../../../src/app/outputs/output-fields.ts'
import { decodeOutput } from '../../../../src/app/outputs/stored-output.ts'
import type { SafetyPolicy } from '../../../../src/app/picture-terms.ts'
import type { JobId } from '../../../../src/scheduler/ids.ts'
import { Files, largeTensor } from '../../../support/output-places.ts'
import { picture } from '../../../support/pictures.ts'

const jobId = 7 as JobId
const png = picture('png')

function written(item: number, bytes: Uint8Array = png, mimeType = 'image/png') {
  const tensor = largeTensor('uint8', [bytes.length], bytes)
  const output: TaskOutput = { task: { program: 'write_picture', item }, output: { picture: tensor, mimeType } }
  return { output, region: tensor.region }
}

function checked(item: number, score: unknown): TaskOutput {
  return { task: { program: 'check_picture', item }, output: { score, checkedBy: 'open-nsfw' } }
}

function requestOf(policy: SafetyPolicy, count: number, seed = 10): string {
  const terms = { format: 'png', safety: { policy, threshold: 0.8 }, previews: null }
  return JSON.stringify({ textToImage: { seed, count }, terms })
}

async function finish(request: string, outputs: readonly TaskOutput[], files = new Files()) {
  const finished = await finishOutput({ record: { id: jobId, taskKind: 'textToImage' }, request }, outputs, files)
  const output = decodeOutput(finished.encoded)
  return { ...finished, images: output.kind === 'images' ? output.images : [] }
}

test('a safe picture becomes an artifact, with its seed and the verdict on it', async () => {
  const files = new Files()
  const { output, region } = written(0)
  const { images, artifacts } = await finish(requestOf('block', 1), [checked(0, 0.1), output], files)
  expect(images).toEqual([
    { artifactId: 101, withheld: false, seed: 10, safety: { safe: true, score: 0.1, checkedBy: 'open-nsfw' } },
  ])
  expect(artifacts).toMatchObject([{ id: 101, jobId, mimeType: 'image/png', width: 5, height: 3 }])
  expect(files.written).toEqual([{ mimeType: 'image/png', bytes: png }])
  expect(region.released).toBe(1)
})

test('of several pictures, in whatever order they come, each has its own seed; seeds go round', async () => {
  const all = [2, 0, 1].map((item) => written(item))
  const request = requestOf('off', 3, 2 ** 31 - 2)
  const { images } = await finish(
    request,
    all.map(({ output }) => output),
  )
  expect(images.map(({ seed }) => seed)).toEqual([2 ** 31 - 2, 2 ** 31 - 1, 0])
  expect(all.map(({ region }) => region.released)).toEqual([1, 1, 1])
})

test('an unsafe picture is withheld, no file of it is written, and the others are given', async () => {
  const files = new Files()
  const pictures = [written(0), written(1)]
  const outputs = [...pictures.map(({ output }) => output), checked(0, 0.8), checked(1, 0.79)]
  const { images, artifacts } = await finish(requestOf('block', 2), outputs, files)
  expect(images).toMatchObject([
    { artifactId: null, withheld: true, seed: 10, safety: { safe: false, score: 0.8 } },
    { artifactId: 101, withheld: false, seed: 11, safety: { safe: true } },
  ])
  expect(files.written).toHaveLength(1)
  expect(artifacts).toHaveLength(1)
  expect(pictures.map(({ region }) => region.released)).toEqual([1, 1])
})

test('when all are unsafe the job fails in words, and nothing is written', async () => {
  const files = new Files()
  const { output, region } = written(0)
  const failing = finish(requestOf('block', 1), [output, checked(0, 0.93)], files)
  await expect(failing).rejects.toThrow(UnsafeContent)
  await expect(failing).rejects.toThrow('The picture was withheld: open-nsfw found it unsafe.')
  expect(files.written).toEqual([])
  expect(region.released).toBe(1)
})

test('flagged, an unsafe picture is given with the verdict; unchecked, without one', async () => {
  const unsafe = () => [written(0).output, checked(0, 0.93)]
  const safety = { safe: false, score: 0.93, checkedBy: 'open-nsfw' }
  const flagged = await finish(requestOf('flag', 1), unsafe())
  expect(flagged.images).toEqual([{ artifactId: 101, withheld: false, seed: 10, safety }])
  const unchecked = await finish(requestOf('off', 1), unsafe())
  expect(unchecked.images).toEqual([{ artifactId: 101, withheld: false, seed: 10, safety: null }])
})

test('of several checks the strictest counts', async () => {
  const outputs = [written(0).output, checked(0, 0.1), checked(0, 0.9), checked(0, 0.2)]
  expect((await finish(requestOf('flag', 1), outputs)).images).toMatchObject([{ safety: { safe: false, score: 0.9 } }])
})

test.each<[string, readonly TaskOutput[], string]>([
  ['no verdict where one is owed', [written(0).output], 'no verdict'],
  ['a verdict that is no number', [written(0).output, checked(0, Number.NaN)], '"score"'],
  ['the verdict on another picture', [written(0).output, checked(1, 0)], 'no verdict'],
  ['no file', [checked(0, 0)], 'no file of picture 1 of 1'],
  ['two files', [written(0).output, written(0).output, checked(0, 0)], 'several files of picture 1 of 1'],
  ['what is no picture', [written(0, png, 'text/plain').output, checked(0, 0)], 'text/plain, which is no picture'],
  ['bytes that are none', [written(0, new Uint8Array(40).fill(9)).output, checked(0, 0)], 'no such picture'],
])('%s is a broken contract, and nothing gets out', async (_, outputs, words) => {
  const files = new Files()
  const failing = finish(requestOf('block', 1), outputs, files)
  await expect(failing).rejects.toThrow(BrokenContract)
  await expect(failing).rejects.toThrow(words)
  expect(files.written.length).toBe(files.discarded.length)
})

test('a second picture that cannot be written takes the first with it', async () => {
  const files = new Files()
  files.failing = 1
  const pictures = [written(0), written(1)]
  const outputs = pictures.map(({ output }) => output)
  await expect(finish(requestOf('off', 2), outputs, files)).rejects.toThrow('on fire')
  expect(files.discarded).toMatchObject([{ id: 101 }])
  expect(pictures.map(({ region }) => region.released)).toEqual([1, 1])
})

test('a long request is read from the store; one that is gone there is a mistake of ours', async () => {
  const files = new Files()
  files.request = requestOf('off', 1, 5)
  const job = { record: { id: jobId, taskKind: 'textToImage' as const }, request: null }
  const { encoded } = await finishOutput(job, [written(0).output], files)
  expect(decodeOutput(encoded)).toMatchObject({ images: [{ seed: 5 }] })
  files.request = null
  await expect(finishOutput(job, [written(0).output], files)).rejects.toThrow('not in the store')
})

test('what is made larger is one picture, that nobody judges', async () => {
  const { output } = written(0)
  const upscaled: TaskOutput = { ...output, task: { program: 'upscale_image', item: 0 } }
  const terms = { format: 'png', safety: { policy: 'off', threshold: 0.8 }, previews: null }
  const request = JSON.stringify({ upscaleImage: { factor: 2 }, terms })
  const job = { record: { id: jobId, taskKind: 'upscaleImage' as const }, request }
  const { encoded } = await finishOutput(job, [upscaled], new Files())
  expect(decodeOutput(encoded)).toEqual({
    kind: 'images',
    images: [{ artifactId: 101, withheld: false, seed: 0, safety: null }],
  })
})
