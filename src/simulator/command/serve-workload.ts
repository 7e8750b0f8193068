/** One workload under the policies and seeds that were asked for. */

import { type Bounds, boundsOf } from '../report/bounds.ts'
import type { Line } from '../report/table.ts'
import { readTable } from '../traces/csv.ts'
import { generatedDefaults, generateWorkload } from '../traces/generated.ts'
import { loadFactors } from '../traces/latencies.ts'
import { readWorkload } from '../traces/traces.ts'
import { headOf, type Workload } from '../traces/workload.ts'
import type { TraceOptions } from '../world/trace-options.ts'
import type { TraceResult } from '../world/trace-result.ts'
import { runTrace } from '../world/trace-world.ts'
import type { TraceInvocation } from './options.ts'

/** A run, and the bounds on the rows that it used. */
export type BoundedResult = TraceResult & Bounds

export interface ServedWorkload {
  readonly workload: Workload
  /** What was assumed about chance, one sentence each. */
  readonly notes: readonly string[]
  readonly lines: readonly Line<BoundedResult>[]
}

const drawnFromRates = 20_000
const seedsJitter = 0.1

export function serveWorkload(invocation: TraceInvocation): ServedWorkload {
  const { world, policies, routings, loadTimes } = invocation
  const first = workloadOf(invocation, world.seed)
  const seeds = seedsOf(invocation, first)
  const jitter = invocation.jitter ?? (seeds.length > 1 && world.execution === 'recorded' ? seedsJitter : 0)
  const workloads = new Map(seeds.map((seed) => [seed, first.seed === null ? first : workloadOf(invocation, seed)]))
  const factors = loadTimes === null ? [] : loadFactors(readTable(loadTimes))
  const bounds = new Map([...workloads].map(([seed, workload]) => [seed, boundsOf(workload, world)]))
  const lines: Line<BoundedResult>[] = []
  for (const policy of policies) {
    for (const routing of routings) {
      for (const batchBacklog of world.batchBacklog ? [false, true] : [false]) {
        const options = { ...world, policy, routing, batchBacklog, jitter, loadFactors: factors }
        const results = [...bounds].map(([seed, bound]) => ({
          ...runTrace(workloads.get(seed) ?? first, { ...options, seed }),
          ...bound,
        }))
        lines.push({ name: nameOf(options), results })
      }
    }
  }
  return { workload: first, notes: notesOf(invocation, first, seeds.length, jitter), lines }
}

function workloadOf({ trace, rows, requests, days }: TraceInvocation, seed: number): Workload {
  if (trace === null)
    return headOf(generateWorkload({ seed, requests: requests ?? generatedDefaults.requests, days }), rows)
  return headOf(readWorkload(trace, { seed, requests: requests ?? drawnFromRates }), rows)
}

/** What is the same for every seed is run once. */
function seedsOf({ world, seeds, jitter }: TraceInvocation, workload: Workload): number[] {
  const isDrawn = workload.seed !== null || (world.execution === 'recorded' && jitter !== 0)
  return Array.from({ length: isDrawn ? seeds : 1 }, (_, index) => world.seed + index)
}

function nameOf({ policy, routing, order, batchBacklog }: TraceOptions): string {
  return `${policy}, ${routing}, ${order}${batchBacklog ? ', with batch backlog' : ''}`
}

function notesOf({ trace, seeds, world }: TraceInvocation, workload: Workload, runs: number, jitter: number): string[] {
  const notes: string[] = []
  if (trace === null) notes.push('No --trace was given: this workload is generated, not recorded.')
  if (runs < seeds) notes.push('Nothing in this run is drawn: one run stands for all seeds.')
  if (jitter > 0) notes.push(`Load and execution times are drawn around those of the workload (sigma ${jitter}).`)
  if (runs > 1) notes.push(`Means of ${runs} runs, seeds ${world.seed} to ${world.seed + runs - 1}, ± 95 % interval.`)
  if (world.compress !== 1)
    notes.push(`Gaps between requests are divided by ${world.compress}: for comparisons under overload only.`)
  notes.push('Bounds take all devices as one memory and reorder nothing; a run that reorders may pass them.')
  return [...workload.notes, ...notes]
}
