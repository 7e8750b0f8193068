import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  byWorth,
  type Candidate,
  cheapestToSuffice,
  cheapToSpare,
  firstToSuffice,
  isCovered,
  minus,
} from '../../../../src/scheduler/eviction/cover.ts'

function model(bytes: number, worthInAll: number): Candidate {
  return { totalBytes: bytes, weightsBytes: bytes, worth: worthInAll / bytes, latest: 0, versionId: bytes }
}
const missing = (bytes: number) => ({ totalBytes: bytes, weightsBytes: 0 })
const sizes = (chosen: readonly Candidate[]) => chosen.map(({ totalBytes }) => totalBytes).sort((a, b) => a - b)
const worthOf = (chosen: readonly Candidate[]) => chosen.reduce((sum, each) => sum + each.worth * each.totalBytes, 0)

describe('which models go', () => {
  test('the first that suffice, in the order given', () => {
    expect(sizes(firstToSuffice([model(2, 1), model(12, 50), model(3, 90)], missing(5)))).toEqual([2, 12])
  })

  test('who need not go after all stays', () => {
    expect(sizes(cheapToSpare([model(2, 1), model(12, 50), model(3, 90)], missing(5)))).toEqual([12])
  })

  test('one that is worth little in all goes rather than two that are worth less per byte', () => {
    const models = [model(4, 4), model(5, 6), model(6, 8)].sort(byWorth)
    expect(sizes(cheapToSpare(models, missing(6)))).toEqual([4, 5])
    expect(sizes(cheapestToSuffice(models, missing(6)))).toEqual([6])
  })

  test('all of them, if all are not enough', () => {
    expect(cheapestToSuffice([model(1, 1), model(2, 2)], missing(9))).toHaveLength(2)
  })

  test('no set that suffices is worth less than the one that is chosen', () => {
    const drawn = fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.nat(50)), { maxLength: 9 })
    fc.assert(
      fc.property(drawn, fc.integer({ min: 1, max: 40 }), (all, bytes) => {
        const models = all.map(([size, worth]) => model(size, worth)).sort(byWorth)
        const chosen = cheapestToSuffice(models, missing(bytes))
        const least = leastWorth(models, bytes)
        if (least === null) {
          expect(chosen).toHaveLength(models.length)
          return
        }
        expect(isCovered(chosen.reduce(minus, missing(bytes)))).toBe(true)
        expect(worthOf(chosen)).toBeCloseTo(least, 6)
      }),
    )
  })
})

/** By trying all sets. */
function leastWorth(models: readonly Candidate[], bytes: number): number | null {
  let least: number | null = null
  for (let set = 0; set < 2 ** models.length; set += 1) {
    const chosen = models.filter((_, index) => (set >> index) % 2 === 1)
    const room = chosen.reduce((sum, each) => sum + each.totalBytes, 0)
    if (room >= bytes && (least === null || worthOf(chosen) < least)) least = worthOf(chosen)
  }
  return least
}
