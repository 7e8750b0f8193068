import { expect, test } from 'vitest'
import { betterOf, type Gain, goalOf, inWords } from '../../../../bench/ablation/gain.ts'
import { isMet } from '../../../../bench/harness/statistics.ts'

test.each<[Gain, string, { justMet: number; justMissed: number }]>([
  [{ less: 0.9 }, '-90 %', { justMet: 0.1, justMissed: 0.101 }],
  [{ less: 0.5 }, '-50 %', { justMet: 0.5, justMissed: 0.501 }],
  [{ more: 2 }, '+200 %', { justMet: 3, justMissed: 2.99 }],
  [{ more: 1.5 }, '+150 %', { justMet: 2.5, justMissed: 2.49 }],
  [{ timesFaster: 4 }, '4 x faster', { justMet: 0.25, justMissed: 0.26 }],
  [{ reaches: 0.85 }, '≥ 85 %', { justMet: 0.85, justMissed: 0.849 }],
])('%o is said as "%s" and judged by the ratio', (gain, words, { justMet, justMissed }) => {
  expect(inWords(gain)).toBe(words)
  expect(isMet(justMet, goalOf(gain))).toBe(true)
  expect(isMet(justMissed, goalOf(gain))).toBe(false)
})

test('what is good follows from what it must bring, else from the unit', () => {
  expect(betterOf({ more: 1 }, 'jobs/s')).toBe('higher')
  expect(betterOf({ less: 0.5 }, 'ms')).toBe('lower')
  expect(betterOf(null, 'MB/s')).toBe('higher')
  expect(betterOf(null, 'ms')).toBe('lower')
})
