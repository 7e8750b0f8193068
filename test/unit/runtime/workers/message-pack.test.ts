/** Metadata that a decoder would do more with than its bytes are worth. */
import { expect, test } from 'vitest'
import { decode, encode } from '../../../../src/runtime/workers/message-pack.ts'
import { ProtocolError } from '../../../../src/runtime/workers/protocol-error.ts'

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')

test.each([
  [
    'integers',
    [0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, -1, -32, -33, -129, -32_769, -(2 ** 31) - 1],
  ],
  ['other numbers', [0.5, -1e300]],
  ['nil and flags', [null, true, false]],
  ['texts', ['', 'ü', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(256), 'x'.repeat(65_536)]],
  ['bytes', [Buffer.alloc(0), Buffer.alloc(255), Buffer.alloc(256), Buffer.alloc(65_536)]],
  ['lists', [[], Array(15).fill(1), Array(16).fill(1), Array(65_536).fill(1)]],
  [
    'maps',
    [{}, { a: { b: {} } }, Object.fromEntries(Array.from({ length: 70_000 }, (_, index) => [`k${index}`, index]))],
  ],
])('%s of every length are taken', (_, values) => {
  for (const value of values) expect(decode(encode(value))).toEqual(value)
})

test.each([
  ['a list that is longer than what follows', 'dc ffff 01'],
  ['lists within lists that have no room for each other', 'dd 00000003 dd 00000003 01 01 01'],
  ['lists whose lengths would take all memory', 'dd 01ffffff'.repeat(100)],
  ['a map that is longer than what follows', 'df 7fffffff a1 61 01'],
  ['a text that ends too early', 'd9 05 61'],
  ['a number that ends too early', 'cf 00'],
  ['nothing', ''],
  ['a date', 'd6 ff 00000000'],
  ['a reference to a value that came before', '92 d6 69 00000001 91 01 d6 70 00000001'],
  ['an extension of any length', 'c7 01 05 00'],
  ['a code that is never used', 'c1'],
])('%s breaks the protocol', (_, hex) => {
  expect(() => decode(bytes(hex))).toThrow(ProtocolError)
})

test('what is wrong is said', () => {
  expect(() => decode(bytes('dc ffff 01'))).toThrow('65535 more values are announced, and 1 bytes are left')
  expect(() => decode(bytes('d6 ff 00000000'))).toThrow('the code 0xd6 stands for no nil')
})
