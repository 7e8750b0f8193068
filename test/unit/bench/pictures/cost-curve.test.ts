import { expect, test } from 'vitest'
import { cheapest, kneeOf, rowsPerSecond } from '../../../../bench/pictures/cost-curve.ts'

const point = (rows: number, runMs: number) => ({ rows, runMs })

test('a run of four rows in 80 ms does 50 rows a second', () => {
  expect(rowsPerSecond(point(4, 80))).toBe(50)
})

test.each([
  ['rows cost what they cost, in any company', [point(1, 10), point(2, 20), point(4, 40)], 1],
  ['rows cost next to nothing beside the first', [point(1, 10), point(2, 10), point(4, 10)], 4],
  ['four rows do 95 % of what eight do', [point(1, 10), point(2, 16), point(4, 20), point(8, 38)], 4],
  ['more rows than two make it slower', [point(1, 10), point(2, 15), point(4, 60)], 2],
  ['there is one run', [point(1, 10)], 1],
])('the knee where %s', (_, curve, knee) => {
  expect(kneeOf(curve)).toBe(knee)
})

test('a row is cheapest in the best of the runs that are small enough; equal ones are as small as can be', () => {
  const curve = [point(1, 10), point(2, 20), point(4, 30), point(8, 32)]
  expect(cheapest(curve, 2)).toEqual(point(1, 10))
  expect(cheapest(curve, 7)).toEqual(point(4, 30))
  expect(cheapest(curve, 8)).toEqual(point(8, 32))
  expect(() => cheapest(curve, 0)).toThrow('at most 0 rows')
})
