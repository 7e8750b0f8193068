import { expect, test } from 'vitest'
import { bytesOfValues, textsOfValues } from '../../../../src/app/tensors/values.ts'
import { Problems } from '../../../../src/app/validation/problems.ts'
import { checkValues } from '../../../../src/app/validation/tensor-values.ts'
import type { Dtype } from '../../../../src/runtime/workers/dtypes.ts'

function check(dtype: Dtype, shape: readonly number[], values: unknown): string[] {
  const problems = new Problems('')
  checkValues('values', dtype, shape, values, problems)
  return problems.found.map(({ path, message }) => `${path}: ${message}`)
}

test.each<[Dtype, unknown[], string]>([
  ['bool', [true, false], '0100'],
  ['int8', [-128, 127, -1], '807fff'],
  ['uint8', [0, 255], '00ff'],
  ['int16', [-2, 258], 'feff0201'],
  ['uint16', [65_535], 'ffff'],
  ['int32', [-2_147_483_648], '00000080'],
  ['uint32', [4_294_967_295], 'ffffffff'],
  ['int64', [-1, '9223372036854775807'], 'ffffffffffffffffffffffffffffff7f'],
  ['uint64', ['18446744073709551615', 1], 'ffffffffffffffff0100000000000000'],
  ['float16', [1, 'Infinity', 65_519], '003c007cff7b'],
  ['bfloat16', [1, '-Infinity', 3.14], '803f80ff4940'],
  ['float32', [1.5, 'NaN'], '0000c03f0000c07f'],
  ['float64', [-2], '00000000000000c0'],
])('%s values become little-endian bytes', (dtype, values, hex) => {
  expect(check(dtype, [values.length], values)).toEqual([])
  if (dtype === 'string') expect.fail('texts have no bytes')
  expect(Buffer.from(bytesOfValues(dtype, [values.length], values)).toString('hex')).toBe(hex)
})

test.each<[Dtype, unknown, string]>([
  ['bool', 1, 'must be true or false; given: 1.'],
  ['int8', 128, 'must be a whole number from -128 to 127; given: 128.'],
  ['int8', 1.5, 'must be a whole number from -128 to 127; given: 1.5.'],
  ['uint8', -1, 'must be a whole number from 0 to 255; given: -1.'],
  ['uint16', '5', 'must be a whole number from 0 to 65535; given: "5".'],
  ['int32', true, 'must be a whole number from -2147483648 to 2147483647; given: true.'],
  ['uint32', null, 'must be a whole number from 0 to 4294967295; given: null.'],
  [
    'int64',
    2 ** 53,
    'beyond 2^53 a JSON number is not exact: give it as a text of digits, e.g. "9007199254740993"; given: 9007199254740992.',
  ],
  [
    'int64',
    '9223372036854775808',
    'must be a whole number from -9223372036854775808 to 9223372036854775807, beyond 2^53 as a text of digits; given: "9223372036854775808".',
  ],
  [
    'uint64',
    '-1',
    'must be a whole number from 0 to 18446744073709551615, beyond 2^53 as a text of digits; given: "-1".',
  ],
  [
    'float16',
    65_520,
    'must lie between -65504 and 65504; give infinity as the text "Infinity" or "-Infinity"; given: 65520.',
  ],
  ['float32', 'nan', 'must be a number, or one of the texts "NaN", "Infinity" and "-Infinity"; given: "nan".'],
  ['float32', [1], 'must be a number, or one of the texts "NaN", "Infinity" and "-Infinity"; given: a list.'],
  ['string', 5, 'must be a text; given: 5.'],
  ['string', 'a\u0000b', 'must not contain the character U+0000.'],
  ['string', '\ud800', 'must be well-formed Unicode; it contains half of a surrogate pair.'],
])('as %s, %j is refused where it stands', (dtype, value, words) => {
  const good = dtype === 'string' ? 'ja' : dtype === 'bool' ? true : 1
  expect(
    check(
      dtype,
      [2, 2],
      [
        [good, good],
        [value, good],
      ],
    ),
  ).toEqual([`values.1.0: ${words}`])
  expect(check(dtype, [2, 2], [good, good, good, value])).toEqual([`values.3: ${words}`])
})

test.each<[Dtype, unknown]>([
  ['float32', 1e39],
  ['bfloat16', 3.4e38],
  ['float64', Infinity],
])('as %s, %d is too large', (dtype, value) => {
  expect(check(dtype, [], value)).toEqual([expect.stringContaining('give infinity as the text')])
})

test.each<[string, readonly number[], unknown, readonly string[]]>([
  [
    'too few in a flat list',
    [2, 2],
    [1, 2, 3],
    ['values: must have 4 values for the shape [2, 2], as one flat list or as nested lists; given: 3.'],
  ],
  ['too many in a vector', [2], [1, 2, 3], ['values: must have 2 values for the shape [2]; given: 3.']],
  [
    'a row that is too short',
    [2, 2],
    [[1, 2], [3]],
    ['values.1: must be a list of 2 (axis 1 of the shape [2, 2]); given: 1.'],
  ],
  ['too few rows', [2, 2], [[1, 2]], ['values: must be a list of 2 (axis 0 of the shape [2, 2]); given: 1.']],
  [
    'a number for a row',
    [2, 2],
    [[1, 2], 3],
    ['values.1: must be a list of 2 (axis 1 of the shape [2, 2]); given: 3.'],
  ],
  ['a number for a list', [2], 3, ['values: must be a list for the shape [2]; given: 3.']],
  [
    'an empty list where there are values',
    [2, 2],
    [],
    ['values: must be a list of 2 (axis 0 of the shape [2, 2]); given: 0.'],
  ],
  ['a map', [2], { 0: 1 }, ['values: must be a list for the shape [2]; given: an object.']],
])('%s is told', (_, shape, values, expected) => {
  expect(check('float32', shape, values)).toEqual(expected)
})

test('a scalar is its value, or a list of it; without elements any empty form will do', () => {
  expect(check('float32', [], 5)).toEqual([])
  expect(check('float32', [], [5])).toEqual([])
  expect(check('float32', [0, 3], [])).toEqual([])
  expect(check('float32', [2, 0], [[], []])).toEqual([])
  expect(check('float32', [2, 0], [])).toEqual([])
  expect(bytesOfValues('float32', [2, 0], [[], []])).toEqual(new Uint8Array(0))
})

test('texts are counted in bytes, and laid out row by row', () => {
  expect(checkValues('values', 'string', [2, 1], [['ü'], ['ab']], new Problems(''))).toBe(4)
  expect(textsOfValues([['ü'], ['ab']])).toEqual(['ü', 'ab'])
})

test('a million wrong values make a hundred problems', () => {
  expect(check('int8', [1_000_000], new Array<number>(1_000_000).fill(1000))).toHaveLength(100)
})
