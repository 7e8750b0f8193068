import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { addingModel, node, onnxFile, port } from '../support/onnx-file.ts'
import { download, ended, infer, run } from '../support/outputs.ts'
import { ModelFolder, register } from '../support/registrations.ts'
import { submit, trySubmit, trySubmitAll } from '../support/submissions.ts'
import { upload as uploadAs } from '../support/uploads.ts'

/** By their numbers in onnx.proto3, with values at the edges of their range. */
const kinds: readonly (readonly [string, number, readonly unknown[]])[] = [
  ['float32', 1, [1.5, -3.4028234663852886e38, 'NaN', 'Infinity', 0.1]],
  ['uint8', 2, [0, 255]],
  ['int8', 3, [-128, 127]],
  ['uint16', 4, [0, 65_535]],
  ['int16', 5, [-32_768, 32_767]],
  ['int32', 6, [-2_147_483_648, 2_147_483_647]],
  ['int64', 7, ['-9223372036854775808', '9223372036854775807', 9_007_199_254_740_991]],
  ['string', 8, ['', 'grün 🌈', 'two\nlines']],
  ['bool', 9, [true, false]],
  ['float16', 10, [1, 65_504, '-Infinity', 0.1]],
  ['float64', 11, [0.1, -1.7976931348623157e308, 5e-324]],
  ['uint32', 12, [0, 4_294_967_295]],
  ['uint64', 13, ['18446744073709551615', 1]],
  ['bfloat16', 16, [1, 3.14, 'NaN']],
]

let folder: ModelFolder
let hearth: Hearth
beforeAll(async () => {
  folder = await ModelFolder.make()
  hearth = await startHearth({ environment: folder.environment })
  await add('adding', addingModel(1))
  for (const [dtype, number] of kinds) await add(`same-${dtype}`, identity(number))
})
afterAll(async () => {
  await hearth.stop()
  await folder[Symbol.asyncDispose]()
})

const upload = (server: Hearth, content: Uint8Array) => uploadAs(server, content, 'application/octet-stream')

async function add(name: string, content: Buffer): Promise<void> {
  const path = await folder.write(`${name}/model.onnx`, content)
  const answer = await register(hearth, { path, name })
  if (!answer.model) throw new Error(`Not registered: ${JSON.stringify(answer)}`)
}

/** `y = x`, of any shape of two dimensions. */
function identity(dtype: number): Buffer {
  return onnxFile(
    node('Identity', ['x'], ['y']),
    port(11, { name: 'x', dtype, shape: [null, null] }),
    port(12, { name: 'y', dtype, shape: [null, null] }),
  )
}

function x(more: object, dtype = 'float32') {
  return { name: 'x', dtype, ...more }
}

test('tensors go in and out, nested or flat', async () => {
  const nested = await infer(hearth, 'adding', [
    x({
      shape: [2, 2],
      values: [
        [1, 2],
        [3, 4],
      ],
    }),
  ])
  expect(nested).toEqual([
    {
      name: 'y',
      dtype: 'float32',
      shape: [2, 2],
      values: [
        [2, 3],
        [4, 5],
      ],
      artifact: null,
    },
  ])
  expect(await infer(hearth, 'adding', [x({ shape: [2, 2], values: [1, 2, 3, 4] })], ['y'])).toEqual(nested)
})

test.each(kinds)('%s survives the way through a model', async (dtype, _, values) => {
  const shape = [1, values.length]
  const [y] = await infer(hearth, `same-${dtype}`, [x({ shape, values }, dtype)])
  expect(y).toEqual({ name: 'y', dtype, shape, values: [values], artifact: null })
})

describe('large tensors', () => {
  const rows = 40_000
  const floats = Float32Array.from({ length: rows * 2 }, (_, index) => index)
  const expected = Buffer.from(floats.map((value) => value + 1).buffer)

  test('come from an upload, raw or as .npy, and go to an artifact that says what it is', async () => {
    const raw = await upload(hearth, new Uint8Array(floats.buffer))
    const npy = await upload(hearth, Buffer.concat([npyHeader('<f4', `(${rows}, 2)`), Buffer.from(floats.buffer)]))
    for (const artifactId of [raw, npy]) {
      const job = await run(hearth, {
        model: 'adding',
        task: { infer: { tensors: [x({ shape: [rows, 2], artifactId })] } },
      })
      const [y] = job.output?.tensors ?? []
      expect(y).toMatchObject({ name: 'y', shape: [rows, 2], values: null })
      expect(y?.artifact).toMatchObject({
        mimeType: `application/vnd.hearth.tensor; dtype=float32; shape=${rows}x2`,
        sizeBytes: rows * 8,
        job: { id: job.id },
      })
      expect((await download(y!.artifact!)).equals(expected)).toBe(true)
      expect(job.request).toEqual({
        infer: { tensors: [x({ shape: [rows, 2], artifactId })], outputs: null },
      })
    }
  })

  test('one job gives what the next takes', async () => {
    const artifactId = await upload(hearth, new Uint8Array(floats.buffer))
    const [first] = await infer(hearth, 'adding', [x({ shape: [rows, 2], artifactId })])
    const [second] = await infer(hearth, 'adding', [x({ shape: [rows, 2], artifactId: first!.artifact!.id })])
    expect((await download(second!.artifact!)).readFloatLE(4)).toBe(3)
  })

  test('as values they may be as large as a request', async () => {
    const values = new Array<number>(1_000_000).fill(0)
    const [y] = await infer(hearth, 'adding', [x({ shape: [500_000, 2], values })])
    expect(y?.artifact?.sizeBytes).toBe(4_000_000)
  })
})

describe('what is wrong is told before anything is queued', () => {
  async function problems(tensors: readonly object[], rest: object = {}, model = 'adding') {
    const { fields, __typename } = await trySubmit(hearth, { model, task: { infer: { tensors, ...rest } } })
    expect(__typename).toBe('InvalidInputError')
    return fields
  }

  test('with the path of a value', async () => {
    expect(
      await problems([
        x({
          shape: [2, 2],
          values: [
            [1, 2],
            [3, true],
          ],
        }),
      ]),
    ).toEqual([
      {
        path: 'task.infer.tensors.0.values.1.1',
        message: 'must be a number, or one of the texts "NaN", "Infinity" and "-Infinity"; given: true.',
      },
    ])
  })

  test('with what the model takes', async () => {
    expect(
      await problems([x({ shape: [1, 3], values: [1, 2, 3] }), { ...x({ shape: [], values: 1 }), name: 'z' }]),
    ).toEqual([
      { path: 'task.infer.tensors.0.shape.1', message: expect.stringContaining('must be 2') },
      { path: 'task.infer.tensors.1.name', message: expect.stringContaining('it takes `x` (float32 [batch, 2])') },
    ])
  })

  test('of an artifact that is no artifact, or not this tensor', async () => {
    const artifactId = await upload(hearth, Buffer.alloc(12))
    expect(await problems([x({ shape: [2, 2], artifactId })])).toEqual([
      { path: 'task.infer.tensors.0.artifactId', message: expect.stringContaining('takes exactly 16 bytes') },
    ])
    expect(await problems([x({ shape: [2, 2], artifactId: 'nonsense' })])).toEqual([
      { path: 'task.infer.tensors.0.artifactId', message: expect.stringContaining('not the id of an artifact') },
    ])
  })

  test('of a request that asks for another kind of model', async () => {
    const { fields } = await trySubmit(hearth, { model: 'adding', task: { embedText: { texts: ['a'] } } })
    expect(fields).toEqual([
      { path: 'task', message: 'model adding does infer, not embedText; ask it for that, or name another model.' },
    ])
  })

  test('for many jobs at once, each by its own path', async () => {
    const good = { model: 'adding', task: { infer: { tensors: [x({ shape: [1, 2], values: [1, 2] })] } } }
    const bad = { model: 'adding', task: { infer: { tensors: [x({ shape: [1, 2], values: [1] })] } } }
    const { fields } = await trySubmitAll(hearth, [good, bad, good, bad])
    expect(fields?.map(({ path }) => path)).toEqual([
      'jobs.1.task.infer.tensors.0.values',
      'jobs.3.task.infer.tensors.0.values',
    ])
  })
})

test('equal shapes are checked once, and the server counts them', async () => {
  const figures = async () => {
    const query = '{ server { validation { hits misses savedMs } } }'
    return (await hearth.ask<{ server: { validation: { hits: number; misses: number } } }>(query)).server.validation
  }
  const before = await figures()
  const jobs = Array.from({ length: 50 }, (_, index) => ({
    model: 'adding',
    task: { infer: { tensors: [x({ shape: [1, 2], values: [index, 0] })], outputs: ['y'] } },
  }))
  const { jobs: accepted = [] } = await trySubmitAll(hearth, jobs)
  expect(accepted).toHaveLength(50)
  const after = await figures()
  expect([after.hits - before.hits, after.misses - before.misses]).toEqual([49, 1])
  const outputs = await Promise.all(accepted.map(({ id }) => ended(hearth, id)))
  expect(outputs.map(({ output }) => output?.tensors?.[0]?.values)).toEqual(jobs.map((_, index) => [[index + 1, 1]]))
})

test('the same key and the same tensors are the same job; other values are a conflict', async () => {
  const artifactId = await upload(hearth, Buffer.alloc(16))
  const job = (tensor: object) => ({
    model: 'adding',
    task: { infer: { tensors: [x({ shape: [2, 2], ...tensor })] } },
    idempotencyKey: 'tensor-key',
  })
  const id = await submit(hearth, job({ artifactId }))
  expect(await submit(hearth, job({ artifactId }))).toBe(id)
  expect(await trySubmit(hearth, job({ values: [0, 0, 0, 0] }))).toMatchObject({ __typename: 'ConflictError' })
})

test('a retried job takes the same artifact again', async () => {
  const artifactId = await upload(hearth, new Uint8Array(Float32Array.of(1, 2).buffer))
  const first = await run(hearth, { model: 'adding', task: { infer: { tensors: [x({ shape: [1, 2], artifactId })] } } })
  const { retryJob } = await hearth.ask<{ retryJob: { job: { id: string } } }>(
    'mutation ($id: ID!) { retryJob(id: $id) { ... on RetryJobSuccess { job { id } } } }',
    { id: first.id },
  )
  const again = await ended(hearth, retryJob.job.id)
  expect(again.output).toEqual(first.output)
  expect(again.request).toEqual(first.request)
})

function npyHeader(descr: string, shape: string): Buffer {
  const text = Buffer.from(`{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }\n`)
  const length = Buffer.alloc(2)
  length.writeUInt16LE(text.length)
  return Buffer.concat([Buffer.from([0x93]), Buffer.from('NUMPY'), Buffer.from([1, 0]), length, text])
}
