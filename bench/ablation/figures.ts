/** What was measured of a mechanism, as the figures of a benchmark: each side, and their ratio, which has the goal. */
import { type Figure, figure } from '../harness/benchmark.ts'
import { betterOf, type Gain, goalOf } from './gain.ts'
import type { Comparison, Mechanism } from './mechanism.ts'
import { type Pair, ratiosOf, valuesOf } from './pairs.ts'

export function figuresOf(mechanism: Mechanism, pairs: readonly Pair[]): Figure[] {
  return mechanism.comparisons.flatMap((comparison) => figuresOfComparison(mechanism.name, comparison, pairs))
}

/** Of one side, or of both: `with`, `without`, `ratio`. */
export function figureId(mechanism: string, { key }: Comparison, part: keyof Pair | 'ratio'): string {
  return `ablation.${mechanism}.${key}.${part}`
}

/** Compared with nothing: the mechanism alone has a value. */
export function isAlone(gain: Gain | null): boolean {
  return gain !== null && 'reaches' in gain
}

function figuresOfComparison(mechanism: string, comparison: Comparison, pairs: readonly Pair[]): Figure[] {
  const { key, what, unit, mustBring, note = '' } = comparison
  const better = betterOf(mustBring, unit)
  const goal = mustBring && { goal: goalOf(mustBring) }
  const side = (part: keyof Pair, rest: object) =>
    figure(
      { id: figureId(mechanism, comparison, part), what: `${mechanism}: ${what}, ${part}`, unit, better, ...rest },
      [valuesOf(pairs, part, key)],
    )
  if (isAlone(mustBring)) return [side('with', { ...goal, note })]
  const ratio = figure(
    {
      id: figureId(mechanism, comparison, 'ratio'),
      what: `${mechanism}: ${what}, with / without`,
      unit: 'ratio',
      better,
      note,
      ...goal,
    },
    [ratiosOf(pairs, key)],
  )
  return [side('with', {}), side('without', {}), ratio]
}
