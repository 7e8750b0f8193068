/** The few numbers that are made of many. */
import type { Figure, Goal } from './benchmark.ts'

export interface Summary {
  /** The best of the medians of the series. */
  readonly value: number
  readonly min: number
  readonly max: number
  readonly rounds: number
}

export function summarise(figure: Pick<Figure, 'series' | 'better'>): Summary {
  const rounds = figure.series.flat()
  const medians = figure.series.map(median)
  const value = figure.better === 'higher' ? Math.max(...medians) : Math.min(...medians)
  return { value, min: Math.min(...rounds), max: Math.max(...rounds), rounds: rounds.length }
}

export function isMet(value: number, goal: Goal): boolean {
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** By nearest rank: a value that was really measured. NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
