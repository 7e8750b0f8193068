import { expect, test } from 'vitest'
import { measurePairs, ratiosOf, valuesOf } from '../../../../bench/ablation/pairs.ts'

const asIs = (round: () => Promise<Readonly<Record<string, number>>>) => round()

test('both sides are measured in turn, and each goes first as often as the other', async () => {
  const order: string[] = []
  const side = (name: string) => async () => {
    order.push(name)
    return {}
  }
  await measurePairs(4, { with: side('with'), without: side('without') }, asIs)
  expect(order).toEqual(['with', 'without', 'without', 'with', 'with', 'without', 'without', 'with'])
})

test('values stay with their side, whichever went first, and every round is wrapped', async () => {
  let rounds = 0
  const next = async () => ({ ms: ++rounds })
  let wrapped = 0
  const pairs = await measurePairs(
    2,
    { with: next, without: async () => ({ ms: (await next()).ms * 10 }) },
    (round) => {
      wrapped += 1
      return round()
    },
  )
  expect(pairs).toEqual([
    { with: { ms: 1 }, without: { ms: 20 } },
    { with: { ms: 4 }, without: { ms: 30 } },
  ])
  expect(wrapped).toBe(4)
})

test('a ratio is made of the two rounds of one pair, not of medians', () => {
  const pairs = [
    { with: { ms: 1 }, without: { ms: 10 } },
    { with: { ms: 4 }, without: { ms: 8 } },
  ]
  expect(ratiosOf(pairs, 'ms')).toEqual([0.1, 0.5])
})

test.each([undefined, Number.NaN])('a side that gave %s is told, not averaged', (value) => {
  const pairs = [{ with: { ms: 1 }, without: value === undefined ? {} : { ms: value } }]
  expect(valuesOf(pairs, 'with', 'ms')).toEqual([1])
  expect(() => valuesOf(pairs, 'without', 'ms')).toThrow('ms was not measured without the mechanism.')
})
