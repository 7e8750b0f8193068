import { expect, test } from 'vitest'
import { figuresOf } from '../../../../bench/ablation/figures.ts'
import type { Comparison, Mechanism } from '../../../../bench/ablation/mechanism.ts'
import { showMechanisms } from '../../../../bench/ablation/summary.ts'

function mechanism(name: string, ...comparisons: readonly Comparison[]): Mechanism {
  return { name, naive: `no ${name}.`, pairs: 1, comparisons, open: () => Promise.reject(new Error('Not measured.')) }
}
const latency: Comparison = { key: 'p50', what: 'a request, p50', unit: 'ms', mustBring: { less: 0.5 } }
const rate: Comparison = { key: 'rate', what: 'requests', unit: 'requests/s', mustBring: { more: 2 } }
const share: Comparison = { key: 'hits', what: 'remembered', unit: 'share', mustBring: { reaches: 0.85 } }

function cells(table: string): string[][] {
  const lines = table.split('\n').filter((line) => line.startsWith('| '))
  return lines.slice(1).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

test('each comparison is a row with both sides, their ratio, what it must be and whether it is', () => {
  const cache = mechanism('cache', latency, rate, share)
  const figures = figuresOf(cache, [
    { with: { p50: 2, rate: 500, hits: 0.9 }, without: { p50: 10, rate: 200 } },
    { with: { p50: 3, rate: 400, hits: 0.9 }, without: { p50: 10, rate: 200 } },
  ])
  const text = showMechanisms([cache], figures)
  expect(cells(text)).toEqual([
    ['cache', 'a request, p50', '2', '10', 'ms', '0.2 [0.2..0.3]', '-50 %', 'yes'],
    ['cache', 'requests', '400', '200', 'requests/s', '2 [2..2.5]', '+200 %', 'NO'],
    ['cache', 'remembered', '0.9', '', 'share', '', '≥ 85 %', 'yes'],
  ])
  expect(text).toContain('- Without cache: no cache.')
})

test('what is only measured to be known is not judged; what was not measured is left out', () => {
  const known = mechanism('known', { ...latency, mustBring: null })
  const figures = figuresOf(known, [{ with: { p50: 20 }, without: { p50: 10 } }])
  const text = showMechanisms([known, mechanism('absent', rate)], figures)
  expect(cells(text)).toEqual([['known', 'a request, p50', '20', '10', 'ms', '2', '', '']])
  expect(text).not.toContain('absent')
})

test('a value without a naive side has a figure with the goal, and no ratio', () => {
  const [only, ...others] = figuresOf(mechanism('cache', share), [{ with: { hits: 0.8 }, without: {} }])
  expect(only).toMatchObject({ id: 'ablation.cache.hits.with', goal: { atLeast: 0.85 }, better: 'higher' })
  expect(others).toEqual([])
})
