import { expect, test } from 'vitest'
import { defaultPressure, fallsAt, judge, noPressure } from '../../../../src/scheduler/pressure/levels.ts'

const { calmMs } = defaultPressure

test('it is tight from 85 %, critical from 95 %, at once', () => {
  const pressure = noPressure()
  expect(judge(pressure, 0.84, 0, defaultPressure)).toBe(false)
  expect(judge(pressure, 0.85, 1, defaultPressure)).toBe(true)
  expect(pressure.level).toBe('tight')
  expect(judge(pressure, 0.95, 2, defaultPressure)).toBe(true)
  expect(pressure.level).toBe('critical')
})

test('between the end of a level and its beginning it stays', () => {
  const pressure = noPressure()
  judge(pressure, 0.96, 0, defaultPressure)
  judge(pressure, 0.9, 100_000, defaultPressure)
  expect(pressure.level).toBe('critical')
  judge(pressure, 0.84, 200_000, defaultPressure)
  judge(pressure, 0.84, 200_000 + calmMs, defaultPressure)
  expect(pressure.level).toBe('tight')
  judge(pressure, 0.81, 300_000, defaultPressure)
  judge(pressure, 0.81, 400_000, defaultPressure)
  expect(pressure.level).toBe('tight')
})

test('it falls only when the signs have been those of a lower level for a while', () => {
  const pressure = noPressure()
  judge(pressure, 0.9, 0, defaultPressure)
  expect(judge(pressure, 0.5, 1000, defaultPressure)).toBe(false)
  expect(fallsAt(pressure, defaultPressure)).toBe(1000 + calmMs)
  judge(pressure, 0.9, 5000, defaultPressure)
  expect(fallsAt(pressure, defaultPressure)).toBeNull()
  judge(pressure, 0.5, 6000, defaultPressure)
  expect(judge(pressure, 0.5, 6000 + calmMs, defaultPressure)).toBe(true)
  expect(pressure.level).toBe('normal')
})

test('signs that swing about a limit change the level at most once in a while', () => {
  const pressure = noPressure()
  let changes = 0
  for (let now = 0; now < 100_000; now += 100) {
    const share = 0.85 + 0.06 * Math.sin(now / 700)
    if (judge(pressure, share, now, defaultPressure)) changes += 1
  }
  expect(changes).toBe(1)
})

test('a system whose work stands still for memory is short of it, whatever the books say', () => {
  const pressure = noPressure()
  pressure.stallShare = 0.12
  judge(pressure, 0.3, 0, defaultPressure)
  expect(pressure.level).toBe('tight')
  pressure.stallShare = 0.5
  judge(pressure, 0.3, 1, defaultPressure)
  expect(pressure.level).toBe('critical')
})
