import { expect, test } from 'vitest'
import { finishOutput } from '../../../../src/app/outputs/finish-output.ts'
import { decodeOutput } from '../../../../src/app/outputs/stored-output.ts'
import type { ProgramOutput } from '../../../../src/runtime/workers/tensors.ts'
import type { JobId } from '../../../../src/scheduler/ids.ts'
import type { TaskKind } from '../../../../src/store/records.ts'
import { Files, largeTensor } from '../../../support/output-places.ts'
import { picture } from '../../../support/pictures.ts'

const jobId = 7 as JobId

function floats(count: number): Uint8Array {
  return new Uint8Array(Float32Array.from({ length: count }, (_, index) => index / 4).buffer)
}

function finishNow(taskKind: TaskKind, output: ProgramOutput, files = new Files()) {
  const job = { record: { id: jobId, taskKind }, request: null }
  return finishOutput(job, [{ task: { program: 'p', item: 0 }, output }], files)
}

async function finish(taskKind: TaskKind, output: ProgramOutput, files = new Files()) {
  const finished = await finishNow(taskKind, output, files)
  return { ...finished, output: decodeOutput(finished.encoded) }
}

test('a text survives the store, and waits for nothing', () => {
  const given = { text: 'red, grün, 🌈', finishReason: 'length', promptTokens: 7, completionTokens: 4 }
  const finished = finishNow('generateText', given)
  if (finished instanceof Promise) expect.fail('It waits.')
  expect(finished.artifacts).toEqual([])
  expect(decodeOutput(finished.encoded)).toEqual({ kind: 'text', ...given, finishReason: 'LENGTH' })
})

test('embeddings survive the store bit by bit, wherever their bytes began', async () => {
  const values = new Float32Array([0.1, -2, 3e-20, 4, 5, 2 ** 127])
  const shifted = new Uint8Array(values.byteLength + 3)
  shifted.set(new Uint8Array(values.buffer), 3)
  const { output } = await finish('embedText', {
    embeddings: { dtype: 'float32', shape: [2, 3], data: shifted.subarray(3) },
  })
  expect(output).toEqual({
    kind: 'embeddings',
    count: 2,
    dimensions: 3,
    embeddings: [values.subarray(0, 3), values.subarray(3, 6)],
    artifactId: null,
  })
})

test('up to 256 embeddings come as vectors even from shared memory, more as a file', async () => {
  const few = largeTensor('float32', [256, 2], floats(512))
  const { output } = await finish('embedText', { embeddings: few })
  expect(output).toMatchObject({ count: 256, artifactId: null })
  expect(output.kind === 'embeddings' && output.embeddings?.at(-1)).toEqual(Float32Array.of(510 / 4, 511 / 4))

  const files = new Files()
  const many = largeTensor('float32', [257, 2], floats(514))
  const finished = await finish('embedText', { embeddings: many }, files)
  expect(finished.output).toMatchObject({ count: 257, dimensions: 2, embeddings: null, artifactId: 101 })
  expect(finished.artifacts).toMatchObject([{ id: 101, jobId, sizeBytes: 2056 }])
  expect(files.written).toEqual([
    { mimeType: 'application/vnd.hearth.tensor; dtype=float32; shape=257x2', bytes: Buffer.from(floats(514)) },
  ])
  expect([few.region.released, many.region.released]).toEqual([1, 1])
})

test.each([Number.NaN, Infinity])(
  'embeddings with %s, which no vector of the API can hold, are caught',
  async (value) => {
    const bytes = new Uint8Array(Float32Array.of(1, 2, value, 4).buffer)
    const here = { embeddings: { dtype: 'float32', shape: [2, 2], data: bytes } }
    await expect(finish('embedText', here)).rejects.toThrow(`number 2 of its embeddings is ${value}`)
    const shared = largeTensor('float32', [2, 2], bytes)
    await expect(finish('embedText', { embeddings: shared })).rejects.toThrow('number 2')
    expect(shared.region.released).toBe(1)
  },
)

test('labels come in the order given', async () => {
  const labels = [
    { label: 'safe', score: 0.9 },
    { label: 'not', score: 0.1 },
  ]
  expect((await finish('classifyImage', { labels })).output).toEqual({ kind: 'classification', labels })
})

test('small tensors come as values, large ones and those in shared memory that are large as files', async () => {
  const files = new Files()
  const shared = largeTensor('float32', [3, 4], floats(12))
  const smallShared = largeTensor('float32', [1, 2], floats(2))
  const { output } = await finish(
    'infer',
    {
      tensors: [
        {
          name: 'a',
          tensor: { dtype: 'int64', shape: [2], data: new Uint8Array(BigInt64Array.of(-1n, 2n ** 60n).buffer) },
        },
        { name: 'b', tensor: shared },
        { name: 'c', tensor: smallShared },
        {
          name: 'd',
          tensor: { dtype: 'float32', shape: [], data: new Uint8Array(Float32Array.of(Number.NaN).buffer) },
        },
        { name: 'words', dtype: 'string', shape: [1, 2], values: ['ja', 'nein'] },
        { name: 'novel', dtype: 'string', shape: [1], values: ['x'.repeat(40)] },
      ],
    },
    files,
  )
  expect(output).toEqual({
    kind: 'tensors',
    tensors: [
      { name: 'a', dtype: 'int64', shape: [2], values: [-1, '1152921504606846976'], artifactId: null },
      { name: 'b', dtype: 'float32', shape: [3, 4], values: null, artifactId: 101 },
      { name: 'c', dtype: 'float32', shape: [1, 2], values: [[0, 0.25]], artifactId: null },
      { name: 'd', dtype: 'float32', shape: [], values: 'NaN', artifactId: null },
      { name: 'words', dtype: 'string', shape: [1, 2], values: [['ja', 'nein']], artifactId: null },
      { name: 'novel', dtype: 'string', shape: [1], values: null, artifactId: 102 },
    ],
  })
  expect(files.written.map(({ mimeType }) => mimeType)).toEqual([
    'application/vnd.hearth.tensor; dtype=float32; shape=3x4',
    'application/json',
  ])
  expect(JSON.parse(String(files.written[1]?.bytes))).toEqual(['x'.repeat(40)])
  expect([shared.region.released, smallShared.region.released]).toEqual([1, 1])
})

test('many small tensors do not add up to a row without bounds', async () => {
  const data = new Uint8Array(300 * 1024)
  const tensors = Array.from({ length: 5 }, (_, index) => ({
    name: String(index),
    tensor: { dtype: 'uint8', shape: [data.length], data },
  }))
  const { output, encoded, artifacts } = await finish('infer', { tensors }, new Files(512 * 1024))
  expect(artifacts).toHaveLength(2)
  expect(encoded.byteLength).toBeLessThan(1024 * 1024)
  expect(output.kind === 'tensors' && output.tensors.map(({ artifactId }) => artifactId !== null)).toEqual([
    false,
    false,
    false,
    true,
    true,
  ])
})

test('what would be millions of lists around nothing comes as a file without bytes', async () => {
  const files = new Files()
  const nothing = new Uint8Array(0)
  const { output } = await finish(
    'infer',
    {
      tensors: [
        { name: 'few', tensor: { dtype: 'float32', shape: [2, 0], data: nothing } },
        { name: 'many', tensor: { dtype: 'float32', shape: [2_000_000_000, 0], data: nothing } },
        {
          name: 'deep',
          tensor: { dtype: 'bool', shape: [2 ** 13, ...Array(40).fill(1)], data: new Uint8Array(2 ** 13) },
        },
        { name: 'words', dtype: 'string', shape: [2_000_000_000, 0], values: [] },
      ],
    },
    Object.assign(files, { inlineTensorBytesMax: 2 ** 15 }),
  )
  expect(output.kind === 'tensors' && output.tensors.map(({ values, artifactId }) => [values, artifactId])).toEqual([
    [[[], []], null],
    [null, 101],
    [null, 102],
    [null, 103],
  ])
  expect(files.written.map(({ bytes }) => bytes.length)).toEqual([0, 2 ** 13, 2])
  expect(String(files.written[2]?.bytes)).toBe('[]')
})

test('texts without a character take room all the same', async () => {
  const values = Array.from({ length: 1000 }, () => '')
  const words = { name: 'words', dtype: 'string', shape: [1000], values }
  const { artifacts } = await finish('infer', { tensors: [words] }, new Files(1024))
  expect(artifacts).toHaveLength(1)
})

test("a third party's program gives values, with small tensors among them, and files", async () => {
  const files = new Files()
  const bytes = picture('png')
  const made = largeTensor('uint8', [bytes.length], bytes)
  const { output, artifacts } = await finish(
    'program',
    {
      values: { mean: { dtype: 'float32', shape: [2], data: floats(2) }, list: [1, null] },
      artifacts: [{ mimeType: 'image/png', data: made }],
    },
    files,
  )
  expect(output).toEqual({
    kind: 'program',
    values: { mean: { dtype: 'float32', shape: [2], values: [0, 0.25] }, list: [1, null] },
    artifactIds: [101],
  })
  expect(files.written).toEqual([{ mimeType: 'image/png', bytes }])
  expect(artifacts).toMatchObject([{ width: 5, height: 3 }])
  expect(made.region.released).toBe(1)
})

test('a picture that is none is caught, and its memory is given back', async () => {
  const data = largeTensor('uint8', [40], new Uint8Array(40).fill(9))
  const files = new Files()
  const output = { artifacts: [{ mimeType: 'image/png', data }] }
  await expect(finish('program', output, files)).rejects.toThrow('it says image/png of bytes that are no such picture')
  expect(data.region.released).toBe(1)
  expect(files.discarded).toMatchObject([{ mimeType: 'image/png' }])
})

test.each<[string, TaskKind, (tensor: ReturnType<typeof largeTensor>) => ProgramOutput, string]>([
  ['no text', 'generateText', (extra) => ({ extra, finishReason: 'stop' }), '"text"'],
  ['a wrong end', 'generateText', (extra) => ({ extra, text: '', finishReason: 'tired' }), 'tired'],
  ['a vector for a matrix', 'embedText', (embeddings) => ({ embeddings }), '"embeddings"'],
  ['too few bytes', 'infer', (t) => ({ tensors: [{ name: 'a', tensor: { ...t, shape: [9] } }] }), '"a"'],
  ['no list', 'infer', (tensors) => ({ tensors: { tensors } }), '"tensors"'],
  [
    'texts that do not fit',
    'infer',
    (t) => ({ t, tensors: [{ name: 'w', dtype: 'string', shape: [2], values: ['x'] }] }),
    '"w"',
  ],
  ['a score that is none', 'classifyImage', (t) => ({ t, labels: [{ label: 'a', score: Number.NaN }] }), '"score"'],
  ['a large tensor among values', 'program', (t) => ({ values: { t } }), 'artifacts'],
  [
    'lists without end',
    'program',
    (t) => ({ t, values: { dtype: 'bool', shape: [1e9, 0], data: new Uint8Array(0) } }),
    '1000000000',
  ],
  [
    'values that are too few for their shape',
    'program',
    (t) => ({ t, values: { dtype: 'bool', shape: [9], data: new Uint8Array(2) } }),
    '[9]',
  ],
  ['bytes among values', 'program', (t) => ({ t, values: { b: new Uint8Array(2) } }), 'hold bytes'],
  ['a type that is none', 'program', (data) => ({ artifacts: [{ mimeType: 'text', data }] }), 'media type'],
  ['a file of floats', 'program', (data) => ({ artifacts: [{ mimeType: 'image/png', data }] }), 'uint8'],
])('a program that gives %s is caught by name, and its memory is given back', async (_, taskKind, output, word) => {
  const tensor = largeTensor('float32', [4], floats(4))
  expect(() => finishNow(taskKind, output(tensor))).toThrow(word)
  expect(tensor.region.released).toBe(1)
})

test('when the second file cannot be written, the first is discarded and all memory is given back', async () => {
  const files = new Files()
  files.failing = 1
  const tensors = [largeTensor('float32', [12], floats(12)), largeTensor('float32', [12], floats(12))]
  const output = { tensors: tensors.map((tensor, index) => ({ name: String(index), tensor })) }
  await expect(finish('infer', output, files)).rejects.toThrow('on fire')
  expect(files.discarded).toMatchObject([{ id: 101 }])
  expect(tensors.map(({ region }) => region.released)).toEqual([1, 1])
})

test.each([0, 2])('a job of one program that ends with %i outputs has broken its contract', (count) => {
  const tensors = Array.from({ length: count }, () => largeTensor('uint8', [4], new Uint8Array(4)))
  const outputs = tensors.map((tensor) => ({ task: { program: 'p', item: 0 }, output: { tensor } }))
  const job = { record: { id: jobId, taskKind: 'embedText' as const }, request: null }
  expect(() => finishOutput(job, outputs, new Files())).toThrow('it ended with')
  expect(tensors.map(({ region }) => region.released)).toEqual(Array(count).fill(1))
})
