/** What was measured of one crowd, as figures: each way by itself, and the step loop against what the curves allow and against one picture at a time. */
import { type Figure, figure } from '../harness/benchmark.ts'
import { type LoopResult, pick } from '../harness/rounds.ts'
import { quantile } from '../harness/statistics.ts'
import type { Crowd, Way } from './crowds.ts'

export interface WayRound {
  /** Pictures a second, by the cost curves. */
  readonly allowed: number
  readonly ways: Readonly<Partial<Record<Way, LoopResult>>>
}

export const wayInWords: Readonly<Record<Way, string>> = {
  continuous: 'joining step by step',
  alone: 'one at a time',
  batches: 'in batches of whole jobs',
}

export function throughputFigures(crowd: Crowd, rounds: readonly (readonly WayRound[])[]): Figure[] {
  return [...crowd.ways.flatMap((way) => figuresOfWay(crowd, way, rounds)), ...comparisons(crowd, rounds)]
}

function figuresOfWay({ key, who }: Crowd, way: Way, rounds: readonly (readonly WayRound[])[]): Figure[] {
  const what = `${who}, ${wayInWords[way]}`
  const latency = { unit: 'ms', better: 'lower' } as const
  const of = (value: (loop: LoopResult) => number) => pick(rounds, ({ ways }) => value(loopOf(ways, way)))
  return [
    figure(
      { id: wayId(key, way, 'rate'), what, unit: 'pictures/s', better: 'higher' },
      of(({ perSecond }) => perSecond),
    ),
    figure({ id: wayId(key, way, 'mean'), what: `${what}, until a picture is there, mean`, ...latency }, of(mean)),
    figure(
      { id: wayId(key, way, 'p95'), what: `${what}, until a picture is there, p95`, ...latency },
      of(({ latenciesMs }) => quantile(latenciesMs, 0.95)),
    ),
  ]
}

export function wayId(crowd: string, way: Way, value: 'rate' | 'mean' | 'p95'): string {
  return `pictures.${crowd}.${way}.${value}`
}

/** Strangers decide their rate themselves: only callers that wait can ask for all that the curves allow. */
function comparisons({ key, who, callers, ways }: Crowd, rounds: readonly (readonly WayRound[])[]): Figure[] {
  const id = `pictures.${key}`
  const ratio = { unit: 'ratio', better: 'lower' } as const
  // Two sides that are disturbed in both directions: the median of all rounds counts.
  const of = (value: (round: WayRound) => number) => [pick(rounds, value).flat()]
  const meanTo = (way: Way) => of((round) => mean(loopOf(round.ways, 'continuous')) / mean(loopOf(round.ways, way)))
  const toAllowed = figure(
    {
      id: `${id}.share`,
      what: `${who}, joining step by step, of what the cost curves allow`,
      unit: 'ratio',
      better: 'higher',
      goal: { atLeast: 0.95 },
    },
    of(({ allowed, ways: { continuous } }) => (continuous?.perSecond ?? Number.NaN) / allowed),
  )
  const toAlone = figure(
    {
      id: `${id}.mean.ratio`,
      what: `${who}, mean wait joining step by step to one at a time`,
      ...ratio,
      goal: { atMost: 1 },
    },
    meanTo('alone'),
  )
  const toBatches = () =>
    figure(
      { id: `${id}.mean.batches`, what: `${who}, mean wait joining step by step to batches of whole jobs`, ...ratio },
      meanTo('batches'),
    )
  return [...(callers === null ? [] : [toAllowed]), toAlone, ...(ways.includes('batches') ? [toBatches()] : [])]
}

function loopOf(ways: WayRound['ways'], way: Way): LoopResult {
  const loop = ways[way]
  if (loop === undefined) throw new Error(`Nothing was measured ${wayInWords[way]}.`)
  return loop
}

function mean({ latenciesMs }: LoopResult): number {
  return latenciesMs.reduce((sum, ms) => sum + ms, 0) / latenciesMs.length
}
