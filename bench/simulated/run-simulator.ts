/** `npm run simulate` with JSON, and what its runs say. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RunSettings } from '../harness/benchmark.ts'

const simulator = fileURLToPath(new URL('../../src/simulator/main.ts', import.meta.url))

export interface SimulatedRun {
  readonly costSavedRatio: number
  readonly clairvoyantCostSavedRatio: number
  readonly loadsPer100Requests: number
  readonly jainFairness: number
  readonly idleShare: number
  readonly latencySeconds: { readonly interactive: { readonly mean: number; readonly p99: number } } | null
  readonly backlog: { readonly share: number } | null
}

export function simulate(args: readonly string[]): readonly SimulatedRun[] {
  const said = execFileSync(process.execPath, [simulator, ...args, '--json'], { encoding: 'utf8', maxBuffer: 2 ** 28 })
  const told = JSON.parse(said) as SimulatedRun | { readonly runs: readonly SimulatedRun[] }
  return 'runs' in told ? told.runs : [told]
}

/** The arguments that name the workload; `rows`: of a recorded one, only so many. Null if it is to be a recorded one that is not there. */
export function workload({ traces, isQuick }: RunSettings, file: string, rows: number | null = null): string[] {
  const limit = isQuick ? 2000 : rows
  if (traces === null || !existsSync(join(traces, file))) return ['--requests', String(limit ?? 10_000)]
  return ['--trace', join(traces, file), ...(limit === null ? [] : ['--rows', String(limit)])]
}
