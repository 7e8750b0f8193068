import { expect, test } from 'vitest'
import { monotonicClock } from '../../../src/app/clock.ts'

function clockInHand() {
  let wall = 1_000_000
  let steady = 50
  const clock = monotonicClock(
    () => wall,
    () => steady,
  )
  const pass = (ms: number) => {
    wall += ms
    steady += ms
  }
  return { clock, pass, set: (ms: number) => (wall += ms) }
}

test('it goes with the time of day', () => {
  const { clock, pass } = clockInHand()
  pass(1234)
  expect(clock.now()).toBe(1_001_234)
})

test('when the machine has slept it follows at once', () => {
  const { clock, set } = clockInHand()
  set(3_600_000)
  expect(clock.now()).toBe(4_600_000)
})

test('when the time is set back it runs on, a little slower, until the two agree again', () => {
  const { clock, pass, set } = clockInHand()
  set(-60_000)
  expect(clock.now()).toBe(1_000_000)
  pass(10_000)
  expect(clock.now()).toBe(1_009_000)
  pass(590_000)
  expect(clock.now()).toBe(1_540_000)
  pass(10_000)
  expect(clock.now()).toBe(1_550_000)
})

test('it never goes back', () => {
  const { clock, pass, set } = clockInHand()
  let before = clock.now()
  for (const change of [-500, 20, -3_600_000, 1000, -1]) {
    set(change)
    pass(3)
    expect(clock.now()).toBeGreaterThanOrEqual(before)
    before = clock.now()
  }
})
