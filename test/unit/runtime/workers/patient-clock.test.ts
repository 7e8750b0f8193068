import { expect, test } from 'vitest'
import { PatientClock } from '../../../../src/runtime/workers/patient-clock.ts'

function clockAt(gapMsMax: number) {
  let real = 5000
  const clock = new PatientClock(() => real, gapMsMax)
  return { clock, pass: (ms: number) => (real += ms) }
}

test('time that was looked at counts in full', () => {
  const { clock, pass } = clockAt(500)
  for (let look = 0; look < 10; look += 1) {
    pass(300)
    expect(clock.look()).toBe(false)
  }
  expect(clock.now()).toBe(8000)
})

test('a stall of an hour counts for half a second, and is told', () => {
  const { clock, pass } = clockAt(500)
  pass(3_600_000)
  expect(clock.now()).toBe(5500)
  expect(clock.look()).toBe(true)
  expect(clock.now()).toBe(5500)
  pass(100)
  expect(clock.look()).toBe(false)
  expect(clock.now()).toBe(5600)
})

test('it never goes back, whenever it is asked', () => {
  const { clock, pass } = clockAt(500)
  let before = clock.now()
  for (const ms of [100, 600, 10, 5000, 0, 499, 700]) {
    pass(ms)
    for (const now of [clock.now(), (clock.look(), clock.now())]) {
      expect(now).toBeGreaterThanOrEqual(before)
      before = now
    }
  }
})
