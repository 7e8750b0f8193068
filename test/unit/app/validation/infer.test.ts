import { expect, test } from 'vitest'
import type { ArtifactReference, TensorInput } from '../../../../src/app/app.ts'
import type { NpyHeader } from '../../../../src/app/tensors/npy-header.ts'
import { type InferChecks, normaliseInfer } from '../../../../src/app/validation/infer.ts'
import type { InputArtifacts } from '../../../../src/app/validation/input-artifacts.ts'
import { Problems } from '../../../../src/app/validation/problems.ts'
import { ValidationCache } from '../../../../src/app/validation/validation-cache.ts'
import type { ArtifactId } from '../../../../src/store/records.ts'
import { artifactRecord } from '../../../support/artifacts.ts'

const npy: NpyHeader = { dtype: 'float32', shape: [2, 3], dataOffset: 128 }
const raw = artifactRecord({ id: 1 as ArtifactId, sizeBytes: 24, mimeType: 'application/octet-stream' })
const artifacts: InputArtifacts = new Map([
  [raw.id, { record: raw, npy: null }],
  [
    2 as ArtifactId,
    { record: artifactRecord({ id: 2 as ArtifactId, sizeBytes: 152, mimeType: 'application/octet-stream' }), npy },
  ],
  [
    3 as ArtifactId,
    { record: artifactRecord({ id: 3 as ArtifactId, sizeBytes: 100, mimeType: 'application/octet-stream' }), npy },
  ],
  [
    4 as ArtifactId,
    {
      record: artifactRecord({ id: 4 as ArtifactId, sizeBytes: 152, mimeType: 'application/octet-stream' }),
      npy: 'is a .npy file of `|O`.',
    },
  ],
  [
    5 as ArtifactId,
    { record: artifactRecord({ id: 5 as ArtifactId, sizeBytes: 99, mimeType: 'text/csv' }), npy: null },
  ],
  [
    6 as ArtifactId,
    { record: artifactRecord({ id: 6 as ArtifactId, sizeBytes: 99, mimeType: 'image/png' }), npy: null },
  ],
])
const checks: InferChecks = {
  signature: {
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3] }],
    optionalInputs: [{ name: 'words', dtype: 'string', shape: null }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch'] }],
    others: [],
  },
  versionSha256: 'f'.repeat(64),
  cache: new ValidationCache(null),
  artifacts,
  tensorBytesMax: 1024,
  valuesBytesMax: 64,
}

function normalise(tensors: readonly TensorInput[], outputs: readonly string[] | null = null, with_ = checks) {
  const problems = new Problems('task.infer')
  const request = normaliseInfer({ tensors, outputs }, with_, problems)
  return { request, problems: problems.found.map(({ path, message }) => `${path}: ${message}`) }
}

function x(more: Partial<TensorInput>): TensorInput {
  return { name: 'x', dtype: 'float32', shape: [2, 3], ...more }
}

function ofFile(reference: ArtifactReference, more: Partial<TensorInput> = {}) {
  return normalise([x({ artifactId: reference, ...more })]).problems
}

test('lengths without bounds are told, and never leave a tensor out', () => {
  const tensors = [{ name: 'words', dtype: 'string', shape: [...Array<number>(40).fill(2 ** 31 - 1), 0], values: [] }]
  const { problems } = normalise([x({ values: [1, 2, 3, 4, 5, 6] }), ...tensors])
  expect(problems).toEqual([expect.stringContaining('task.infer.tensors.1.shape: no array can have the lengths')])
  const empty = { name: 'words', dtype: 'string', shape: [2_000_000_000, 0], values: [] }
  const accepted = normalise([x({ values: [1, 2, 3, 4, 5, 6] }), empty])
  expect(accepted).toMatchObject({ problems: [], request: { tensors: [{ name: 'x' }, empty] } })
})

test('values stay as they were given, files are kept by their content', () => {
  const values = [
    [1, 2, 3],
    [4, 'NaN', 6],
  ]
  expect(normalise([x({ values })], ['y'])).toEqual({
    problems: [],
    request: { tensors: [{ name: 'x', dtype: 'float32', shape: [2, 3], values }], outputs: ['y'] },
  })
  const { id, sha256, mimeType, sizeBytes } = raw
  expect(normalise([x({ artifactId: id })])).toEqual({
    problems: [],
    request: {
      tensors: [
        { name: 'x', dtype: 'float32', shape: [2, 3], artifact: { artifactId: id, sha256, mimeType, sizeBytes } },
      ],
      outputs: null,
    },
  })
})

test('a value is refused at its exact place', () => {
  expect(
    normalise([
      x({
        values: [
          [1, 2, 3],
          [4, null, 6],
        ],
      }),
    ]).problems,
  ).toEqual([
    'task.infer.tensors.0.values.1.1: must be a number, or one of the texts "NaN", "Infinity" and "-Infinity"; given: null.',
  ])
})

test('shapes that do not fit the model and values that do not fit the shape are told together', () => {
  expect(normalise([x({ shape: [2, 2], values: [1] })]).problems).toEqual([
    'task.infer.tensors.0.shape.1: must be 3: the input "x" has the shape [batch, 3]; given: 2.',
    'task.infer.tensors.0.values: must have 4 values for the shape [2, 2], as one flat list or as nested lists; given: 1.',
  ])
})

test.each<[string, Partial<TensorInput>]>([
  ['neither', {}],
  ['both', { values: [1], artifactId: raw.id }],
])('%s of values and artifactId is refused', (_, more) => {
  expect(normalise([x(more)]).problems).toEqual(['task.infer.tensors.0: give exactly one of values and artifactId.'])
})

test('a file of raw bytes or a .npy file that agrees is taken', () => {
  expect(ofFile(1 as ArtifactId)).toEqual([])
  expect(ofFile(2 as ArtifactId)).toEqual([])
})

test.each<[string, readonly string[], string]>([
  [
    'of another size',
    ofFile(5 as ArtifactId),
    'takes exactly 24 bytes (little endian, last axis fastest), or a .npy file; this file has 99 bytes.',
  ],
  [
    'that is a picture',
    ofFile(6 as ArtifactId),
    'is a picture (image/png), and infer takes numbers: give its pixels as',
  ],
  ['that was cut off', ofFile(3 as ArtifactId), 'should have 152 bytes and has 100'],
  ['of Python objects', ofFile(4 as ArtifactId), '|O'],
  ['of another shape', ofFile(2 as ArtifactId, { shape: [1, 3] }), 'holds float32 [2, 3], not float32 [1, 3]'],
  [
    'that is gone',
    ofFile(9 as ArtifactId),
    'no artifact of this id is here (any more); upload the file again with PUT /uploads.',
  ],
  ['that is no id', ofFile({ malformed: 'abc' }), '"abc" is not the id of an artifact'],
])('a file %s is refused in words', (_, problems, word) => {
  expect(problems).toEqual([expect.stringContaining(word)])
  expect(problems[0]).toMatch(/^task\.infer\.tensors\.0\.artifactId: /)
})

test('texts cannot come as a file', () => {
  const { problems } = normalise([
    x({ artifactId: raw.id }),
    { name: 'words', dtype: 'string', shape: [24], artifactId: raw.id },
  ])
  expect(problems).toEqual([
    'task.infer.tensors.1.artifactId: a tensor of texts has no form as a file; give its values.',
  ])
})

test('values of all tensors together are bounded, whatever their text takes', () => {
  const { problems } = normalise([x({ shape: [6, 3], values: new Array<number>(18).fill(0) })])
  expect(problems).toEqual([
    'task.infer.tensors: values may take at most 64 bytes as tensors; given: 72. Upload large tensors with PUT /uploads and give their artifactId.',
  ])
  const words = { name: 'words', dtype: 'string', shape: [13], values: new Array<string>(13).fill('') }
  expect(normalise([x({ artifactId: raw.id }), words]).problems).toEqual([expect.stringContaining('given: 65.')])
})

test('a model whose inputs are not known cannot infer', () => {
  expect(normalise([x({ values: [1, 2, 3, 4, 5, 6] })], null, { ...checks, signature: null }).problems).toEqual([
    'task.infer.tensors: what this model takes is not known, because its inputs cannot be read from its files; infer needs an ONNX model.',
  ])
})

test('a shape that was checked is not checked again, a value is', () => {
  const cache = new ValidationCache({ entriesMax: 10, keptMs: 60_000 })
  const cached = { ...checks, cache }
  const good = x({ values: [1, 2, 3, 4, 5, 6] })
  expect(normalise([good], null, cached).problems).toEqual([])
  expect(normalise([x({ values: [1, 2, 3, 4, 5, 'six'] })], null, cached).problems).toHaveLength(1)
  expect(normalise([x({ shape: [2, 2], values: [1, 2, 3, 4] })], null, cached).problems).toHaveLength(1)
  expect(normalise([x({ shape: [2, 2], values: [1, 2, 3, 4] })], null, cached).problems).toHaveLength(1)
  expect(cache.figures).toMatchObject({ hits: 2, misses: 2 })
})
