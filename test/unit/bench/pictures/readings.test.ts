import { expect, test } from 'vitest'
import { hasGivenWay } from '../../../../bench/pictures/company.ts'
import { growthOf } from '../../../../bench/pictures/memory-growth.ts'

test('growth is of the last third over the second: the warm-up does not count, nor does one reading that is off', () => {
  expect(growthOf([10, 50, 90, 100, 100, 100, 100, 900, 100])).toEqual({ heldBytes: 100, grownBytes: 0 })
  expect(growthOf([10, 50, 90, 100, 110, 120, 130, 140, 150])).toEqual({ heldBytes: 140, grownBytes: 30 })
})

test('memory that shrinks has grown by less than nothing', () => {
  expect(growthOf([3, 2, 1]).grownBytes).toBe(-1)
})

test.each([
  ['no step ended right before the picture began', [80, 120, 300], true],
  ['the running step ended first, and the picture began when it could', [80, 150, 300], false],
  ['it ended in the very millisecond of the start', [80, 160], false],
  ['no step has ended at all', [], true],
])('a step gave way where %s', (_, stepEnds, gaveWay) => {
  expect(hasGivenWay(stepEnds, 160)).toBe(gaveWay)
})
