/**
 * What a benchmark is and what it gives: figures, each with every value it was made from.
 *
 * A figure is measured in several series of several rounds. Its value is the best of the medians of the series: other
 * work on the machine can only make a series worse, never better, while the median inside a series keeps a lucky round
 * from being the result. Every round is kept and its range is printed beside the value.
 */
import type { PeerTable } from '../peers.ts'
import type { Quiet } from './quiet.ts'

export interface Benchmark {
  readonly name: string
  /** One sentence: what is measured. */
  readonly about: string
  /** One sentence: which process runs on which core. */
  readonly placement: string
  /** Core of the load generator, which is the process that runs the benchmark. */
  readonly generatorCore: number
  /** What other servers reached on such a machine. */
  readonly peers: readonly PeerTable[]
  readonly run: (settings: RunSettings) => Promise<readonly Figure[]>
  /** The figures as text, where a plain table of them would not be read; without it, that table. */
  readonly show?: (figures: readonly Figure[]) => string
}

export interface RunSettings {
  /** One short series instead of several: shows that the benchmark runs, not what the server reaches. */
  readonly isQuick: boolean
  readonly quiet: Quiet
  /** Folder for CPU profiles of the server; null = none are taken. */
  readonly profileDir: string | null
  /** The one mechanism that `ablation` measures; null = all. */
  readonly only: string | null
  /** How often `crash` kills the server. */
  readonly serverKills: number
  /** Whether `startup` also sets up a fresh clone, which takes minutes and needs the package registries. */
  readonly hasFreshClone: boolean
  /** Folder of recorded workloads for `simulated`; null = it generates some. */
  readonly traces: string | null
  /** Says on the terminal what is going on. */
  readonly say: (line: string) => void
}

export type Goal = { readonly atLeast: number } | { readonly atMost: number }

export interface Figure {
  /** Unique among all benchmarks, e.g. `noop.sequential.p50`. */
  readonly id: string
  readonly what: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly goal: Goal | null
  /** Values of the rounds, by series. */
  readonly series: readonly (readonly number[])[]
  /** What a reader must know to read the figure rightly; empty = nothing. */
  readonly note: string
}

export type FigureHead = Omit<Figure, 'series' | 'goal' | 'note'> & { readonly goal?: Goal; readonly note?: string }

export function figure(head: FigureHead, series: readonly (readonly number[])[]): Figure {
  return { ...head, goal: head.goal ?? null, note: head.note ?? '', series }
}
