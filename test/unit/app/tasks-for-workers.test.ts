import { describe, expect, test } from 'vitest'
import type { AppContext } from '../../../src/app/context.ts'
import { LiveJobs } from '../../../src/app/live-jobs.ts'
import { taskForWorker } from '../../../src/app/tasks-for-workers.ts'
import { version } from '../../../src/app/version.ts'
import { taskBytes } from '../../../src/runtime/workers/requests.ts'
import type { Admission } from '../../../src/scheduler/commands.ts'
import type { JobId, TaskId } from '../../../src/scheduler/ids.ts'
import type { JobRecord, TaskKind, TaskRecord } from '../../../src/store/records.ts'

const sha256 = 'ab'.repeat(32)
const stored = { artifactId: 7, sha256, mimeType: 'image/png', sizeBytes: 5 }
const file = { path: `/data/artifacts/${sha256}`, mimeType: 'image/png', sizeBytes: 5 }
const jobId = 1 as JobId
const admission: Admission = {
  jobId,
  taskId: 2 as TaskId,
  class: 'batch',
  order: 0,
  attempt: 1,
  deadlineAt: null,
  stage: 'inference',
  isHeld: false,
  inputs: [],
  isRestored: false,
  stepMsMax: null,
}

function task(id: number, node: string, program = 'p', item = 0): TaskRecord {
  const rest = { components: [], after: [], stage: 'inference', isHeld: false } as const
  return { id: id as TaskId, jobId, node, program, item, ...rest }
}

function contextOf(taskKind: TaskKind, request: object, tasks: readonly TaskRecord[], isLong = true): AppContext {
  const live = new LiveJobs(1)
  const record = { id: jobId, taskKind, versionId: 3, idempotencyKey: null } as unknown as JobRecord
  const text = JSON.stringify(request)
  live.add(record, tasks, isLong ? null : text)
  const context = {
    live,
    clock: { now: () => 0 },
    artifacts: { files: { path: (content: string) => `/data/artifacts/${content}` } },
    catalogue: { version: () => ({ model: { name: 'painter' }, version: { sha256: '0123456789abcdef' } }) },
    checkpoints: { get: async (id: TaskId) => Uint8Array.of(id) },
    store: { readRequest: async () => text },
  }
  return context as unknown as AppContext
}

async function admitted(taskKind: TaskKind, request: object) {
  return taskForWorker(contextOf(taskKind, { [taskKind]: request }, [task(2, 'n')]), admission)
}

async function requestOf(taskKind: TaskKind, request: object): Promise<unknown> {
  return (await admitted(taskKind, request)).request
}

test('a picture comes as its file or as its bytes', async () => {
  expect(await requestOf('classifyImage', { image: { artifact: stored }, topK: 2 })).toEqual({ image: file, topK: 2 })
  expect(await requestOf('classifyImage', { image: { dataUrl: 'data:image/png;base64,AQID' }, topK: 2 })).toEqual({
    image: { data: Buffer.from([1, 2, 3]) },
    topK: 2,
  })
})

test('tensors come as bytes, texts or files', async () => {
  const request = {
    tensors: [
      { name: 'a', dtype: 'int16', shape: [1, 2], values: [[1, -2]] },
      { name: 'b', dtype: 'string', shape: [2, 1], values: [['x'], ['y']] },
      { name: 'c', dtype: 'uint8', shape: [5], artifact: stored },
    ],
    outputs: ['y'],
  }
  expect(await requestOf('infer', request)).toEqual({
    tensors: [
      { name: 'a', dtype: 'int16', shape: [1, 2], data: Uint8Array.of(1, 0, 254, 255) },
      { name: 'b', dtype: 'string', shape: [2, 1], values: ['x', 'y'] },
      { name: 'c', dtype: 'uint8', shape: [5], ...file },
    ],
    outputs: ['y'],
  })
})

test("a program's files come beside its parameters", async () => {
  const request = { name: 'p', parameters: { artifacts: 1 } }
  expect(await requestOf('program', request)).toEqual(request)
  expect(await requestOf('program', { ...request, artifacts: [stored] })).toEqual({ ...request, artifacts: [file] })
})

test('as many values as a request may have fit one admission', async () => {
  const valuesBytesMax = 12 * 1024 * 1024
  const values = new Array<number>(valuesBytesMax / 8).fill(0)
  const task = await admitted('infer', {
    tensors: [{ name: 'x', dtype: 'float64', shape: [values.length], values }],
    outputs: null,
  })
  expect(taskBytes(task).byteLength).toBeLessThan(16 * 1024 * 1024)
})

const textToImage = {
  prompt: 'an apple',
  negativePrompt: 'blur',
  width: 64,
  height: 96,
  steps: 20,
  guidance: 3,
  seed: 2 ** 31 - 1,
  count: 2,
  upscale: 4,
}
const terms = {
  format: 'webp',
  safety: { policy: 'flag', threshold: 0.8 },
  previews: { everySteps: 5, maxWidth: 256 },
}
const made = { model: 'painter', version: '0123456789ab', software: `Hearth ${version}` }

describe('of a job of pictures each program gets what it works with', () => {
  const { seed, count, ...rest } = textToImage
  test.each<[string, number, object]>([
    ['encode_text', 0, { prompt: 'an apple', negativePrompt: 'blur' }],
    [
      'denoise',
      1,
      {
        item: 1,
        steps: 20,
        guidance: 3,
        seed: 0,
        width: 64,
        height: 96,
        previews: { everySteps: 5, maxWidth: 256, check: 'flag' },
      },
    ],
    ['decode_latents', 0, {}],
    ['check_picture', 0, {}],
    ['upscale_picture', 0, { factor: 4 }],
    [
      'write_picture',
      0,
      {
        format: 'webp',
        metadata: { prompt: 'an apple', negativePrompt: 'blur', seed, steps: 20, guidance: 3, ...made },
      },
    ],
    ['caption', 1, { ...rest, count, seed: 0, item: 1, format: 'webp' }],
  ])('%s', async (program, item, expected) => {
    const context = contextOf('textToImage', { textToImage, terms }, [task(2, 'n', program, item)])
    expect((await taskForWorker(context, admission)).request).toEqual(expected)
  })
})

test('without previews the program that could make them hears of none', async () => {
  const request = { textToImage, terms: { ...terms, previews: null } }
  const context = contextOf('textToImage', request, [task(2, 'denoise', 'denoise')])
  expect((await taskForWorker(context, admission)).request).toMatchObject({ previews: null })
})

test('a picture to be made larger comes as its file, with what is written into the result', async () => {
  const upscaling = { ...terms, previews: null }
  const request = { upscaleImage: { image: { artifact: stored }, factor: 2 }, terms: upscaling }
  const context = contextOf('upscaleImage', request, [task(2, 'up', 'upscale_image')])
  expect((await taskForWorker(context, admission)).request).toEqual({
    image: file,
    factor: 2,
    format: 'webp',
    metadata: made,
  })
})

test('earlier outputs come under the names of their nodes', async () => {
  const tasks = [task(5, 'decode'), task(6, 'decode', 'p', 1), task(7, 'upscale', 'p', 1), task(2, 'write', 'p', 1)]
  const context = contextOf('generateText', { generateText: { prompt: 'x' } }, tasks, false)
  const inputs = [6, 7] as TaskId[]
  const admittedTask = await taskForWorker(context, { ...admission, inputs, stage: 'postprocessing', isHeld: true })
  expect(admittedTask).toMatchObject({ inputs: { decode: 6, upscale: 7 }, stage: 'postprocessing', isHeld: true })
  expect(() => taskForWorker(context, { ...admission, inputs: [99 as TaskId] })).toThrow('input of another job')
})

test('a task goes on from its checkpoint, also when that has to be read first', async () => {
  const context = contextOf('textToImage', { textToImage, terms }, [task(2, 'denoise', 'denoise')], false)
  const begun = taskForWorker(context, admission)
  if (begun instanceof Promise) expect.fail('It waits.')
  expect(begun.saved).toBeNull()
  expect((await taskForWorker(context, { ...admission, isRestored: true })).saved).toEqual(Uint8Array.of(2))
})
