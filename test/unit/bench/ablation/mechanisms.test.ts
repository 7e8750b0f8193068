import { expect, test } from 'vitest'
import { mechanismNamed, mechanisms } from '../../../../bench/ablation/mechanisms.ts'
import { randomFrom, zipf } from '../../../../bench/ablation/random.ts'

test('names are unique, and an unknown one is refused with all that there are', () => {
  const names = mechanisms.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(mechanismNamed('pipelining').name).toBe('pipelining')
  expect(() => mechanismNamed('pipelines')).toThrow(names.join(', '))
})

test("ranks follow Zipf's law and are the same in every run", () => {
  const draw = () => {
    const next = zipf(100, randomFrom(7))
    return Array.from({ length: 20_000 }, next)
  }
  const ranks = draw()
  expect(draw()).toEqual(ranks)
  const count = (rank: number) => ranks.filter((drawn) => drawn === rank).length
  expect(count(0) / count(1)).toBeCloseTo(2, 0)
  expect(count(0) / count(9)).toBeGreaterThan(8)
  expect(Math.min(...ranks)).toBe(0)
  expect(Math.max(...ranks)).toBeLessThan(100)
})
