import { expect, test } from 'vitest'
import { readNpyHeader } from '../../../../src/app/tensors/npy-header.ts'

function npy(dictionary: string, version = 1): Buffer {
  const text = Buffer.from(`${dictionary}\n`, 'latin1')
  const length = Buffer.alloc(version === 1 ? 2 : 4)
  length.writeUIntLE(text.length, 0, length.length)
  return Buffer.concat([Buffer.from([0x93]), Buffer.from('NUMPY'), Buffer.from([version, 0]), length, text])
}

test.each([1, 2, 3])('version %i says dtype, shape and where the elements begin', (version) => {
  const file = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", version)
  expect(readNpyHeader(Buffer.concat([file, Buffer.alloc(48)]))).toEqual({
    dtype: 'float32',
    shape: [3, 4],
    dataOffset: file.length,
  })
})

test.each([
  ['()', []],
  ['(5,)', [5]],
  ['(0, 2)', [0, 2]],
])('the shape %s is read', (text, shape) => {
  expect(readNpyHeader(npy(`{'descr': '|b1', 'fortran_order': False, 'shape': ${text}, }`))).toMatchObject({
    dtype: 'bool',
    shape,
  })
})

test('other bytes are no .npy file', () => {
  expect(readNpyHeader(Buffer.from('PK\u0003\u0004 something else'))).toBeNull()
  expect(readNpyHeader(Buffer.alloc(0))).toBeNull()
})

test.each([
  ['texts', npy("{'descr': '<U5', 'fortran_order': False, 'shape': (3,), }"), '<U5'],
  ['Python objects', npy("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }"), '|O'],
  ['records', npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (3,), }"), 'no plain array'],
  [
    'a header that is cut off',
    npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }").subarray(0, 30),
    'cut off',
  ],
  ['another version', npy('{}', 9), 'version'],
  ['nothing but its beginning', npy('{}').subarray(0, 8), 'version'],
  ['a length beyond all bounds', npy(`{'descr': '<f4', 'shape': (${'9'.repeat(40)},), }`), 'shape'],
])('a file of %s is told apart in words', (_, file, word) => {
  expect(readNpyHeader(file)).toEqual(expect.stringContaining(word))
})
