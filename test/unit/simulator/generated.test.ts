/** The generated workload has the character of recorded ones, and is the same for the same seed. */
import { expect, test } from 'vitest'
import { generateWorkload } from '../../../src/simulator/traces/generated.ts'

const workload = generateWorkload({ seed: 11, requests: 8000, days: 8, users: 1000 })
const { requests } = workload

test('the same seed gives the same requests, another one others', () => {
  expect(generateWorkload({ seed: 11, requests: 8000, days: 8, users: 1000 })).toEqual(workload)
  expect(generateWorkload({ seed: 12, requests: 8000, days: 8, users: 1000 }).requests).not.toEqual(requests)
})

test('requests come in the order of time', () => {
  expect(requests).toHaveLength(8000)
  expect(requests.every(({ at }, index) => index === 0 || at >= Number(requests[index - 1]?.at))).toBe(true)
})

test('a few models have most of the requests', () => {
  const counts = workload.models.map((_, model) => requests.filter((each) => each.model === model).length)
  counts.sort((a, b) => b - a)
  const top = (count: number) => counts.slice(0, count).reduce((sum, each) => sum + each, 0) / requests.length
  expect(top(1)).toBeGreaterThan(0.15)
  expect(top(10)).toBeGreaterThan(0.6)
  expect(counts.filter((count) => count > 0).length).toBeGreaterThan(30)
})

test('users mostly stay with their model, and mostly ask again soon', () => {
  const latest = new Map<number | null, { at: number; model: number }>()
  let soon = 0
  let switches = 0
  for (const { user, at, model } of requests) {
    const before = latest.get(user)
    if (before && at - before.at < 600_000) {
      soon += 1
      if (before.model !== model) switches += 1
    }
    latest.set(user, { at, model })
  }
  expect(soon / requests.length).toBeGreaterThan(0.6)
  expect(switches / soon).toBeGreaterThan(0.15)
  expect(switches / soon).toBeLessThan(0.35)
})

test('days are busier than nights, and a few requests are very long', () => {
  const byHour = Array.from({ length: 24 }, () => 0)
  for (const { at } of requests) {
    const hour = Math.floor(at / 3_600_000) % 24
    byHour[hour] = (byHour[hour] ?? 0) + 1
  }
  const of = (from: number, to: number) => byHour.slice(from, to).reduce((sum, each) => sum + each, 0)
  expect(of(9, 15)).toBeGreaterThan(1.8 * (of(0, 3) + of(21, 24)))
  const times = requests.map(({ execMs }) => execMs).sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(share * times.length)] ?? 0
  expect(at(0.5) / 1000).toBeCloseTo(22, -1)
  expect(at(0.99)).toBeGreaterThan(3 * at(0.5))
})

test('some sessions are batch work', () => {
  const batch = requests.filter((each) => each.class === 'batch').length / requests.length
  expect(batch).toBeGreaterThan(0.04)
  expect(batch).toBeLessThan(0.2)
})
