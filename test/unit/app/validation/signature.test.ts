import { expect, test } from 'vitest'
import { checkSignature, type TensorOutline } from '../../../../src/app/validation/signature.ts'
import type { Signature } from '../../../../src/runtime/models/signature.ts'

const signature: Signature = {
  inputs: [
    { name: 'a', dtype: 'float32', shape: ['batch', 4] },
    { name: 'b', dtype: 'int64', shape: ['batch', null] },
  ],
  optionalInputs: [{ name: 'scale', dtype: 'float32', shape: [] }],
  outputs: [
    { name: 'y', dtype: 'float32', shape: ['batch'] },
    { name: 'z', dtype: 'float32', shape: null },
  ],
  others: [{ name: 'maps', type: 'sequence of map of int64 to float32' }],
}
const a: TensorOutline = { name: 'a', dtype: 'float32', shape: [2, 4] }
const b: TensorOutline = { name: 'b', dtype: 'int64', shape: [2, 9] }

function check(tensors: readonly TensorOutline[], outputs: readonly string[] | null = null, of = signature) {
  return checkSignature(of, { tensors, outputs }, 1024).map(({ path, message }) => `${path}: ${message}`)
}

test('what fits is accepted, in any order, with optional inputs and any outputs', () => {
  expect(check([b, a])).toEqual([])
  expect(check([a, b, { name: 'scale', dtype: 'float32', shape: [] }], ['z', 'y', 'maps'])).toEqual([])
  expect(
    check([
      { ...a, shape: [0, 4] },
      { ...b, shape: [0, 1] },
    ]),
  ).toEqual([])
})

test.each<[string, readonly TensorOutline[], readonly string[] | null, readonly string[]]>([
  ['an input that is missing', [a], null, ['tensors: the input `b` (int64 [batch, any]) is missing.']],
  [
    'an input that is unknown',
    [a, b, { name: 'c', dtype: 'bool', shape: [] }],
    null,
    [
      'tensors.2.name: this model has no input "c"; it takes `a` (float32 [batch, 4]), `b` (int64 [batch, any]), `scale` (float32 []).',
    ],
  ],
  ['an input given twice', [a, b, a], null, ['tensors.2.name: the input "a" is given twice; give each input once.']],
  [
    'another dtype',
    [{ ...a, dtype: 'float64' }, b],
    null,
    ['tensors.0.dtype: the input "a" takes float32; given: float64.'],
  ],
  [
    'a dtype that is none',
    [{ ...a, dtype: 'float' }, b],
    null,
    [
      'tensors.0.dtype: must be one of bool, int8, uint8, int16, uint16, float16, bfloat16, int32, uint32, float32, int64, uint64, float64, string; given: "float".',
    ],
  ],
  [
    'too few dimensions',
    [{ ...a, shape: [8] }, b],
    null,
    ['tensors.0.shape: the input "a" has 2 dimensions, [batch, 4]; given: [8].'],
  ],
  [
    'a fixed length that differs',
    [{ ...a, shape: [2, 5] }, b],
    null,
    ['tensors.0.shape.1: must be 4: the input "a" has the shape [batch, 4]; given: 5.'],
  ],
  [
    'one name for two lengths',
    [a, { ...b, shape: [3, 9] }],
    null,
    ['tensors.1.shape.0: batch is 2 in `a` and 3 in `b`; give both the same length.'],
  ],
  [
    'a negative length',
    [
      { ...a, shape: [-1, 4] },
      { ...b, shape: [-1, 9] },
    ],
    null,
    [
      'tensors.0.shape.0: must not be negative; give the actual length; given: -1.',
      'tensors.1.shape.0: must not be negative; give the actual length; given: -1.',
    ],
  ],
  [
    'more bytes than a tensor may have',
    [a, { ...b, shape: [2, 65] }],
    null,
    [
      'tensors.1.shape: a tensor takes at most 1024 bytes (HEARTH_MAX_TENSOR_BYTES); [2, 65] of int64 takes 1040. Split the request.',
    ],
  ],
  ['no outputs', [a, b], [], ['outputs: must name at least one output; leave it out to get all of them.']],
  [
    'outputs that are unknown or asked for twice',
    [a, b],
    ['y', 'x', 'y'],
    ['outputs.1: this model has no output "x"; it gives y, z, maps.', 'outputs.2: the output "y" is asked for twice.'],
  ],
])('%s is told with its path, and what to do', (_, tensors, outputs, expected) => {
  expect(check(tensors, outputs)).toEqual(expected)
})

test('one name twice within one tensor must agree too', () => {
  const square: Signature = { inputs: [{ name: 'm', dtype: 'bool', shape: ['n', 'n'] }], outputs: [], others: [] }
  expect(check([{ name: 'm', dtype: 'bool', shape: [3, 3] }], null, square)).toEqual([])
  expect(check([{ name: 'm', dtype: 'bool', shape: [3, 2] }], null, square)).toEqual([
    'tensors.0.shape.1: n is both 3 and 2 in `m`; give both the same length.',
  ])
})

test('an input of any shape takes any, and names from callers are not repeated at length', () => {
  const any: Signature = { inputs: [{ name: 'x', dtype: 'bool', shape: null }], outputs: [], others: [] }
  expect(check([{ name: 'x', dtype: 'bool', shape: [1, 2, 3] }], null, any)).toEqual([])
  const [first = ''] = check([{ name: 'n'.repeat(5000), dtype: 'bool', shape: [] }], null, any)
  expect(first.length).toBeLessThan(300)
})

test('whoever makes thousands of mistakes is told of a hundred', () => {
  const many = Array.from({ length: 5000 }, (_, index) => ({ name: `x${index}`, dtype: 'bool', shape: [-1] }))
  expect(check(many)).toHaveLength(100)
})
