import { describe, expect, test } from 'vitest'
import type { EvictionName } from '../../../../src/scheduler/eviction/policies/policies.ts'
import { ServedCache } from './served-cache.ts'

/** Three models of equal size fit; a fourth comes. Answers who went. */
function victimOf(eviction: EvictionName, prepare: (cache: ServedCache) => void): number[] {
  const cache = new ServedCache(eviction, 30)
  prepare(cache)
  return cache.ask(9, { bytes: 10, loadMs: 1000 })
}
const alike = { bytes: 10, loadMs: 1000 }
const minuteMs = 60_000

describe('an eviction policy', () => {
  test('least recently used: whoever was asked for longest ago goes', () => {
    const asked = (cache: ServedCache) => [1, 2, 3, 1].forEach((model) => cache.after(1000).ask(model, alike))
    expect(victimOf('lru', asked)).toEqual([2])
  })

  test('least frequently used: whoever was asked for least often goes, however long ago that was', () => {
    const asked = (cache: ServedCache) => {
      ;[1, 1, 2, 2, 3].forEach((model) => cache.after(1000).ask(model, alike))
      cache.after(24 * 60 * minuteMs).ask(3, alike)
      cache.ask(3, alike)
    }
    expect(victimOf('lfu', asked)).toEqual([1])
  })

  test('GDSF: of models that are used alike, whoever is loaded soonest goes', () => {
    const asked = (cache: ServedCache) =>
      [1, 2, 3].forEach((model) => cache.after(1000).ask(model, { bytes: 10, loadMs: model === 2 ? 500 : 5000 }))
    expect(victimOf('gdsf', asked)).toEqual([2])
  })

  test('GDSF: former favourites sink as others come and go', () => {
    const cache = new ServedCache('gdsf', 20)
    for (let count = 0; count < 5; count += 1) cache.after(1000).ask(1, alike)
    for (let model = 2; model < 20; model += 1) cache.after(1000).ask(model, alike)
    expect(cache.has(1)).toBe(false)
  })

  test('multi-rate: a short burst of long ago weighs less than a steady use', () => {
    const asked = (cache: ServedCache) => {
      for (let count = 0; count < 5; count += 1) cache.after(1000).ask(1, alike)
      for (let hour = 0; hour < 48; hour += 1) [2, 3].forEach((model) => cache.after(30 * minuteMs).ask(model, alike))
    }
    expect(victimOf('multi-rate', asked)).toEqual([1])
  })

  test('decayed value: only the last ten minutes count', () => {
    const asked = (cache: ServedCache) => {
      for (let count = 0; count < 50; count += 1) cache.after(1000).ask(1, alike)
      cache.after(120 * minuteMs)
      ;[2, 3].forEach((model) => cache.after(1000).ask(model, alike))
    }
    expect(victimOf('decayed-value', asked)).toEqual([1])
  })

  test('the mixture: small models that are loaded soon go before one that takes long', () => {
    const cache = new ServedCache('hedge', 30)
    cache.ask(1, { bytes: 20, loadMs: 60_000 })
    cache.after(1000).ask(2, { bytes: 10, loadMs: 100 })
    expect(cache.after(1000).ask(3, { bytes: 10, loadMs: 100 })).toEqual([2])
  })
})
