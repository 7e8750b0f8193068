import { expect, test } from 'vitest'
import type { RequestOutline } from '../../../../src/app/validation/signature.ts'
import { ValidationCache } from '../../../../src/app/validation/validation-cache.ts'

const version = 'a'.repeat(64)
const x = { name: 'x', dtype: 'float32', shape: [1, 2] }
const outline: RequestOutline = { tensors: [x], outputs: null }

/** How often a check was really made over these requests, one after the other. */
function checksMade(cache: ValidationCache, ...requests: readonly (readonly [string, RequestOutline])[]): number {
  let made = 0
  for (const [of, each] of requests)
    cache.check(of, each, () => {
      made += 1
      return []
    })
  return made
}

function newCache(entriesMax = 100): ValidationCache {
  return new ValidationCache({ entriesMax, keptMs: 60_000 })
}

test('an equal request is not checked again', () => {
  const cache = newCache()
  const problems = [{ path: 'tensors', message: 'is missing' }]
  expect(cache.check(version, outline, () => problems)).toBe(problems)
  expect(cache.check(version, { tensors: [{ ...x }], outputs: null }, () => expect.fail())).toBe(problems)
  expect(cache.figures).toMatchObject({ hits: 1, misses: 1 })
})

test('what it saves is reckoned from checks made again now and then, not from the first, which runs cold', () => {
  const cache = newCache()
  let checks = 0
  const check = () => {
    const end = performance.now() + (checks === 0 ? 50 : 1)
    while (performance.now() < end);
    checks += 1
    return []
  }
  for (let request = 0; request <= 64; request += 1) cache.check(version, outline, check)
  expect(checks).toBe(3)
  expect(cache.figures).toMatchObject({ hits: 64, misses: 1 })
  expect(cache.figures.savedMs).toBeGreaterThan(50)
  expect(cache.figures.savedMs).toBeLessThan(64 * 50)
})

test('what is as long as a request may be is not kept', () => {
  const long = { tensors: [{ ...x, name: 'x'.repeat(100_000) }], outputs: null }
  expect(checksMade(newCache(), [version, long], [version, long])).toBe(2)
})

test.each<[string, string, RequestOutline]>([
  ['version', 'b'.repeat(64), outline],
  ['name', version, { tensors: [{ ...x, name: 'y' }], outputs: null }],
  ['dtype', version, { tensors: [{ ...x, dtype: 'float64' }], outputs: null }],
  ['length', version, { tensors: [{ ...x, shape: [1, 3] }], outputs: null }],
  ['cut of the same digits', version, { tensors: [{ ...x, shape: [12] }], outputs: null }],
  ['number of tensors', version, { tensors: [x, x], outputs: null }],
  ['outputs', version, { tensors: [x], outputs: ['y'] }],
  ['empty list of outputs', version, { tensors: [x], outputs: [] }],
])('another %s is checked', (_, of, other) => {
  expect(checksMade(newCache(), [version, outline], [of, other])).toBe(2)
})

test('no name can be written so that two requests look like one', () => {
  const one = { tensors: [{ name: 'a 7:float32 [1] 1:b', dtype: 'float32', shape: [1] }], outputs: null }
  const two = {
    tensors: [
      { name: 'a', dtype: 'float32', shape: [1] },
      { name: 'b', dtype: 'float32', shape: [1] },
    ],
    outputs: null,
  }
  expect(checksMade(newCache(), [version, one], [version, two])).toBe(2)
})

test('long requests are told apart too', () => {
  const long = (last: number) => ({
    tensors: Array.from({ length: 100 }, (_, index) => ({ ...x, name: `input-${index}`, shape: [index, last] })),
    outputs: null,
  })
  expect(checksMade(newCache(), [version, long(1)], [version, long(2)], [version, long(1)])).toBe(2)
})

test('the one that was not asked for longest goes first', () => {
  const cache = newCache(2)
  const of = (length: number): [string, RequestOutline] => [
    version,
    { tensors: [{ ...x, shape: [length] }], outputs: null },
  ]
  expect(checksMade(cache, of(1), of(2), of(1), of(3), of(1), of(2))).toBe(4)
})

test('switched off, every request is checked and nothing is counted', () => {
  const cache = new ValidationCache(null)
  expect(checksMade(cache, [version, outline], [version, outline])).toBe(2)
  expect(cache.figures).toEqual({ hits: 0, misses: 0, savedMs: 0 })
})
