import { expect, test } from 'vitest'
import { allowedPerSecond, cheapestRuns } from '../../../../bench/pictures/picture-costs.ts'

const curves = {
  text_encoder: [
    { rows: 1, runMs: 1 },
    { rows: 2, runMs: 2 },
    { rows: 4, runMs: 3 },
  ],
  unet: [
    { rows: 1, runMs: 9 },
    { rows: 2, runMs: 20 },
    { rows: 4, runMs: 36 },
    { rows: 8, runMs: 64 },
  ],
  vae_decoder: [
    { rows: 1, runMs: 8 },
    { rows: 2, runMs: 17 },
  ],
  safety_checker: [{ rows: 1, runMs: 30 }],
}
const limits = { encode: 16, denoise: 2, decode: 4, check: 8 }

test('a guided picture alone has two rows in encoder and UNet, however cheap a single row would be', () => {
  const runs = cheapestRuns(curves, limits, 1)
  expect(runs.map(({ rows }) => rows)).toEqual([2, 2, 1, 1])
  // 2 + 10 x 20 + 8 + 30
  expect(allowedPerSecond(runs, 10)).toBeCloseTo(1000 / 240, 10)
})

test('company counts up to what the nodes let share a step, and only where it makes pictures cheaper', () => {
  const runs = cheapestRuns(curves, limits, 8)
  expect(runs.map(({ rows }) => rows)).toEqual([4, 4, 1, 1])
  // 3 / 2 + 10 x 36 / 2 + 8 + 30
  expect(allowedPerSecond(runs, 10)).toBeCloseTo(1000 / 219.5, 10)
})

test('a component that was not measured is told', () => {
  expect(() => cheapestRuns({ ...curves, unet: [] }, limits, 1)).toThrow('was measured')
})
