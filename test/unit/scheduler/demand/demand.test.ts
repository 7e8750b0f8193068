import { describe, expect, test } from 'vitest'
import {
  chanceOf,
  countJob,
  learnWeights,
  noAnticipation,
  noteSeeker,
} from '../../../../src/scheduler/demand/anticipation.ts'
import { type Demand, noDemand, noteRequest, rateOf, recentCount } from '../../../../src/scheduler/demand/demand.ts'
import type { VersionId } from '../../../../src/scheduler/ids.ts'

const minuteMs = 60_000

describe('the rate of a version', () => {
  test('is what was asked for, where that has been steady for days', () => {
    const demand = noDemand()
    for (let minute = 0; minute < 10 * 1440; minute += 1) noteRequest(demand, minute, minute * minuteMs)
    expect(rateOf(demand, 10 * 1440 * minuteMs) * minuteMs).toBeCloseTo(1, 0)
  })

  test('falls while nobody asks, and never to nothing', () => {
    const demand = noDemand()
    noteRequest(demand, 1, 0)
    const rates = [1, 10, 100, 1000].map((minutes) => rateOf(demand, minutes * minuteMs))
    expect(rates).toEqual([...rates].sort((a, b) => b - a))
    expect(rates.every((rate) => rate > 0)).toBe(true)
  })

  test('does not grow when the clock goes back', () => {
    const demand = noDemand()
    noteRequest(demand, 1, 10 * minuteMs)
    expect(rateOf(demand, 0)).toBe(rateOf(demand, 10 * minuteMs))
  })

  test('counts the last ten minutes apart', () => {
    const demand = noDemand()
    for (const minute of [0, 1, 2]) noteRequest(demand, minute, minute * minuteMs)
    expect(recentCount(demand, 2 * minuteMs)).toBeCloseTo(2.72, 1)
    expect(recentCount(demand, 122 * minuteMs)).toBeLessThan(0.001)
  })
})

describe('what the next job asks for', () => {
  function world() {
    const anticipation = noAnticipation()
    const demands = new Map<VersionId, Demand>()
    const demandOf = (id: VersionId) => demands.get(id)
    let latest = 0
    return {
      anticipation,
      ask: (version: number, now: number, who: number | null = null) => {
        const id = version as VersionId
        const demand = demands.get(id) ?? noDemand()
        demands.set(id, demand)
        learnWeights(anticipation, demand, 0.05, now)
        latest += 1
        countJob(anticipation, now)
        noteRequest(demand, latest, now)
        if (who !== null) noteSeeker(anticipation, who, id, demandOf, 100, now)
      },
      chance: (version: number, now: number) => {
        const demand = demands.get(version as VersionId)
        return demand ? chanceOf(anticipation, demand, now) : 0
      },
    }
  }

  test('is one of what has been asked for: the chances of all are one', () => {
    const { ask, chance } = world()
    for (let index = 0; index < 50; index += 1) ask(index % 7, index * 1000, index % 3)
    const sum = Array.from({ length: 7 }, (_, version) => chance(version, 50_000)).reduce((a, b) => a + b, 0)
    expect(sum).toBeCloseTo(1, 6)
  })

  test('follows old favourites where those come back, and the latest where work comes in bursts', () => {
    const steady = world()
    const bursts = world()
    for (let index = 0; index < 2000; index += 1) {
      steady.ask(index % 4, index * 10 * minuteMs)
      bursts.ask(Math.floor(index / 40) % 4, index * 10 * minuteMs)
    }
    const shortOf = ({ anticipation }: typeof steady) => (anticipation.weights[0] ?? 0) + (anticipation.weights[1] ?? 0)
    expect(shortOf(bursts)).toBeGreaterThan(2 * shortOf(steady))
  })

  test('is not what somebody has left for another model', () => {
    const left = world()
    const stayed = world()
    left.ask(1, 0, 1)
    left.ask(2, 1000, 1)
    stayed.ask(1, 0, 1)
    stayed.ask(2, 1000, 2)
    expect(left.chance(1, 2000)).toBeLessThan(stayed.chance(1, 2000))
    expect(left.chance(2, 2000)).toBeGreaterThan(left.chance(1, 2000))
  })
})
