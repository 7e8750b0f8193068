/** What a run of a benchmark leaves: figures with every value they were made from, and the facts of the machine. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Benchmark, Figure } from './benchmark.ts'
import type { Machine } from './machine.ts'

export interface Outcome {
  readonly benchmark: string
  readonly command: string
  /** When it ended, ISO 8601. */
  readonly at: string
  readonly tookSeconds: number
  readonly machine: Machine
  /** Cores that other work used during the rounds, mean. */
  readonly others: number
  /** What a fixed piece of work took before the rounds: how much the machine itself drifted. Null: results kept from before this was measured. */
  readonly fixedWorkMs: { readonly median: number; readonly min: number; readonly max: number } | null
  readonly figures: readonly Figure[]
}

/** Where the results of a benchmark are kept in the repository. */
export function resultPath({ name }: Pick<Benchmark, 'name'>): string {
  return fileURLToPath(new URL(`../results/${name}.json`, import.meta.url))
}

export function writeOutcome(path: string, outcome: Outcome): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify({ ...outcome, figures: outcome.figures.map(rounded) }, null, 1)}\n`)
}

export function readOutcome(path: string): Outcome {
  return { fixedWorkMs: null, ...(JSON.parse(readFileSync(path, 'utf8')) as Omit<Outcome, 'fixedWorkMs'>) }
}

/** Digits beyond the sixth are noise and make results hard to compare by eye. */
function rounded(figure: Figure): Figure {
  return { ...figure, series: figure.series.map((values) => values.map((value) => Number(value.toPrecision(6)))) }
}
