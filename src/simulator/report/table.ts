/** Results as a table for people: one line a policy, means over the seeds. */
import type { TraceResult } from '../world/trace-result.ts'
import { estimate } from './statistics.ts'

interface Column {
  readonly title: string
  /** Null = it does not apply to the run. */
  readonly valueOf: (result: Partial<TraceResult>) => number | null | undefined
  readonly digits: number
}

const columns: readonly Column[] = [
  { title: 'hit', valueOf: ({ hitRatio }) => hitRatio, digits: 4 },
  { title: 'byte hit', valueOf: ({ byteHitRatio }) => byteHitRatio, digits: 4 },
  { title: 'cost saved', valueOf: ({ costSavedRatio }) => costSavedRatio, digits: 4 },
  { title: 'loads/100', valueOf: ({ loadsPer100Requests }) => loadsPer100Requests, digits: 2 },
  {
    title: 'interactive mean s',
    valueOf: ({ latencySeconds }) => latencySeconds?.interactive?.mean ?? null,
    digits: 1,
  },
  { title: 'p50', valueOf: ({ latencySeconds }) => latencySeconds?.interactive?.p50 ?? null, digits: 1 },
  { title: 'p95', valueOf: ({ latencySeconds }) => latencySeconds?.interactive?.p95 ?? null, digits: 1 },
  { title: 'p99', valueOf: ({ latencySeconds }) => latencySeconds?.interactive?.p99 ?? null, digits: 1 },
  { title: 'batch mean s', valueOf: ({ latencySeconds }) => latencySeconds?.batch?.mean ?? null, digits: 1 },
  { title: 'p99', valueOf: ({ latencySeconds }) => latencySeconds?.batch?.p99 ?? null, digits: 1 },
  { title: 'Jain', valueOf: (result) => (result.latencySeconds ? result.jainFairness : null), digits: 3 },
  { title: 'busy', valueOf: (result) => (result.latencySeconds ? result.utilisation : null), digits: 3 },
  { title: 'memory', valueOf: ({ memoryUse }) => memoryUse, digits: 3 },
]

export interface Line<Result = Partial<TraceResult>> {
  readonly name: string
  /** One result per seed. */
  readonly results: readonly Result[]
}

/** Columns that apply to none of the runs are left out. */
export function tableOf(lines: readonly Line[]): string {
  const shown = columns.filter(({ valueOf }) =>
    lines.some(({ results }) => results.some((each) => (valueOf(each) ?? null) !== null)),
  )
  const rows = [
    ['', ...shown.map(({ title }) => title)],
    ...lines.map((line) => [line.name, ...shown.map((each) => cell(each, line))]),
  ]
  const widths = ['', ...shown].map((_, place) => Math.max(...rows.map((row) => row[place]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((text, place) => (place === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[place] ?? 0)))
        .join('  '),
    )
    .join('\n')
}

function cell({ valueOf, digits }: Column, { results }: Line): string {
  const values = results.flatMap((result) => valueOf(result) ?? [])
  if (values.length === 0) return '-'
  const { mean, plusMinus } = estimate(values)
  return plusMinus === null ? mean.toFixed(digits) : `${mean.toFixed(digits)} ±${plusMinus.toFixed(digits)}`
}
