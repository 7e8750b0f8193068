import { expect, test } from 'vitest'
import { growthOf, type MemorySample, noteMemory } from '../../../../src/scheduler/workers/growth.ts'

const mib = 1024 * 1024

function growthAfter(minutes: number, bytesAt: (minute: number) => number, everySeconds = 30): number | null {
  const samples: MemorySample[] = []
  for (let at = 0; at <= minutes * 60_000; at += everySeconds * 1000) noteMemory(samples, at, bytesAt(at / 60_000))
  return growthOf(samples, minutes * 60_000)
}

test('a process that takes two mebibytes a minute grows by that', () => {
  expect(growthAfter(5, (minute) => (100 + 2 * minute) * mib)).toBeCloseTo(2 * mib, -3)
})

test('one that goes up and down does not grow', () => {
  expect(Math.abs(growthAfter(10, (minute) => (100 + 20 * (Math.round(minute * 2) % 2)) * mib)!)).toBeLessThan(mib)
})

test('a moment says nothing', () => {
  expect(growthAfter(1, (minute) => (100 + 50 * minute) * mib)).toBeNull()
})

test('one that has stopped growing grows ever less', () => {
  const samples: MemorySample[] = []
  for (let minute = 0; minute < 4; minute += 1) noteMemory(samples, minute * 60_000, (100 + 10 * minute) * mib)
  expect(growthOf(samples, 4 * 60_000)).toBeGreaterThan(5 * mib)
  expect(growthOf(samples, 600 * 60_000)).toBeLessThan(mib)
})

test('many samples in a short time take the place of one', () => {
  const samples: MemorySample[] = []
  for (let at = 0; at < 10_000; at += 10) noteMemory(samples, at, at)
  expect(samples.length).toBeLessThanOrEqual(3)
})
