/** A mechanism of Hearth that is measured with and without: the same work, done by both sides in turn. */
import type { RunSettings } from '../harness/benchmark.ts'
import type { Gain } from './gain.ts'

export interface Mechanism {
  /** As `--only` takes it. */
  readonly name: string
  /** What is done without it: the naive way, one sentence. */
  readonly naive: string
  /** Rounds of each side in a full run. */
  readonly pairs: number
  readonly comparisons: readonly Comparison[]
  readonly open: (settings: RunSettings) => Promise<Sides>
}

export interface Comparison {
  /** Unique within the mechanism; names the value in `Values`. */
  readonly key: string
  readonly what: string
  readonly unit: string
  /** What the mechanism must bring; null = measured to be known. */
  readonly mustBring: Gain | null
  /** What a reader must know to read it rightly. */
  readonly note?: string
}

/** Everything that is needed to measure, ready. Both do the same work and check that it was done. */
export interface Sides extends AsyncDisposable {
  readonly with: Round
  readonly without: Round
}

/** One round: a value for each comparison. Of a comparison that has no naive side, `without` gives none. */
export type Round = () => Promise<Values>
export type Values = Readonly<Record<string, number>>

/** Sides that need what was opened for them, and close it. */
export function sidesOf(opened: AsyncDisposableStack, rounds: Pick<Sides, 'with' | 'without'>): Sides {
  return { ...rounds, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
