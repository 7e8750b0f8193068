import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readByteRange } from '../../../../src/server/http/byte-range.ts'

describe('one range of a file of 1000 bytes', () => {
  test.for<[string | undefined, ReturnType<typeof readByteRange>]>([
    ['bytes=0-0', { first: 0, last: 0 }],
    ['bytes=10-19', { first: 10, last: 19 }],
    ['bytes=990-', { first: 990, last: 999 }],
    ['bytes=0-5000', { first: 0, last: 999 }],
    ['bytes=-1', { first: 999, last: 999 }],
    ['bytes=-5000', { first: 0, last: 999 }],
    ['Bytes = 0 - 4', null],
    ['bytes= 0-4 ', { first: 0, last: 4 }],
    ['bytes=1000-', 'unsatisfiable'],
    ['bytes=1000-2000', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    // Ignored, as the RFC allows: the whole is sent.
    [undefined, null],
    ['', null],
    ['bytes=-', null],
    ['bytes=5-2', null],
    ['bytes=0-1,5-6', null],
    ['items=0-1', null],
    ['bytes=a-b', null],
    ['bytes=0x1-2', null],
    ['bytes=1e3-', null],
  ])('%s', ([header, range]) => {
    expect(readByteRange(header, 1000)).toEqual(range)
  })
})

test('an empty file has no range', () => {
  for (const header of ['bytes=0-', 'bytes=-1', 'bytes=0-0']) expect(readByteRange(header, 0)).toBe('unsatisfiable')
})

test('whatever is asked, a range lies inside the file', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()).map(([first, last]) => `bytes=${first}-${last}`),
    fc.maxSafeNat().map((count) => `bytes=-${count}`),
    fc.maxSafeNat().map((first) => `bytes=${first}-`),
  )
  fc.assert(
    fc.property(anything, fc.nat(5000), (header, sizeBytes) => {
      const range = readByteRange(header, sizeBytes)
      if (range === null || range === 'unsatisfiable') return
      expect(range.first).toBeGreaterThanOrEqual(0)
      expect(range.last).toBeGreaterThanOrEqual(range.first)
      expect(range.last).toBeLessThan(sizeBytes)
    }),
  )
})
