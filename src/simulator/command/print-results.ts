/** What came of a workload, as a table for people or as one JSON object. */

import { oracleHorizonMs } from '../report/bounds.ts'
import { estimate } from '../report/statistics.ts'
import { type Line, tableOf } from '../report/table.ts'
import type { BoundedResult, ServedWorkload } from './serve-workload.ts'

/** One run is told flat; several as a list, with the means over their seeds. */
export function jsonOf({ workload, notes, lines }: ServedWorkload): string {
  const runs = lines.flatMap(({ results }) => results)
  const about = { source: workload.source, notes }
  const [only] = runs
  if (only && runs.length === 1) return JSON.stringify({ ...only, ...about })
  return JSON.stringify({ ...about, runs, means: lines.map(({ name, results }) => ({ name, ...meansOf(results) })) })
}

export function textOf({ workload, notes, lines }: ServedWorkload): string {
  const results = lines.flatMap(({ results: each }) => each)
  const [first] = results
  if (!first) return ''
  const { rows, warmupRows, devices, memoryGb, execution } = first
  const simulatedSeconds = results.reduce((sum, each) => sum + each.simulatedSeconds, 0)
  const tookSeconds = results.reduce((sum, each) => sum + each.tookSeconds, 0)
  return [
    `${workload.source}: ${rows} requests for ${workload.models.length} models, of which the first ${warmupRows} are not counted.`,
    `${devices} devices of ${memoryGb} GB, execution ${execution}.`,
    ...notes,
    '',
    tableOf([...lines, ...boundLines(lines)]),
    '',
    ...backlogSentences(lines),
    ...results.filter(({ failed }) => failed > 0).map(({ failed, seed }) => `Seed ${seed}: ${failed} requests failed.`),
    `${simulatedSeconds.toFixed(0)} s simulated in ${tookSeconds.toFixed(1)} s: ${(simulatedSeconds / tookSeconds).toFixed(0)} times real time.`,
  ].join('\n')
}

/** By nobody who could not see the future. */
function boundLines(lines: ServedWorkload['lines']): Line[] {
  const [first] = lines
  const [bound] = first?.results ?? []
  if (!first || !bound) return []
  return [
    {
      name: `clairvoyant, by ${bound.clairvoyantRule}`,
      results: first.results.map(({ clairvoyantHitRatio, clairvoyantByteHitRatio, clairvoyantCostSavedRatio }) => ({
        hitRatio: clairvoyantHitRatio,
        byteHitRatio: clairvoyantByteHitRatio,
        costSavedRatio: clairvoyantCostSavedRatio,
        loadsPer100Requests: 100 * (1 - clairvoyantHitRatio),
      })),
    },
    {
      name: 'PFOO-L bound',
      results: first.results.map(({ pfooCostSavedRatio }) => ({ costSavedRatio: pfooCostSavedRatio })),
    },
    {
      name: `clairvoyant with loads ${oracleHorizonMs / 1000} s ahead`,
      results: first.results.map((each) => ({ costSavedRatio: each.oraclePrefetchCostSavedRatio })),
    },
  ]
}

/** Beside the same run without it: what interactive work pays, and what of the time that was left batch work had. */
function backlogSentences(lines: ServedWorkload['lines']): string[] {
  return lines.flatMap(({ name, results }, index) => {
    const alone = lines[index - 1]?.results
    if (!alone || results.some(({ backlog }) => backlog === null)) return []
    const ratioOf = (latency: (result: BoundedResult) => number | undefined) =>
      results.map((each, run) => ratio(latency(each), latency(alone[run] ?? each)))
    const p99 = ratioOf(({ latencySeconds }) => latencySeconds?.interactive?.p99)
    const mean = ratioOf(({ latencySeconds }) => latencySeconds?.interactive?.mean)
    const kept = results.map((each, run) => ratio(each.backlog?.share, alone[run]?.idleShare))
    return [
      `${name}: interactive p99 x ${say(p99)}, mean x ${say(mean)}; batch work had ${say(kept)} of the time that devices were idle without it.`,
    ]
  })
}

/** 0 where nothing was measured. */
function ratio(value: number | undefined, base: number | undefined): number {
  return value === undefined || base === undefined || base === 0 ? 0 : value / base
}

function say(values: readonly number[]): string {
  const { mean, plusMinus } = estimate(values)
  return plusMinus === null ? mean.toFixed(3) : `${mean.toFixed(3)} ±${plusMinus.toFixed(3)}`
}

function meansOf(results: readonly BoundedResult[]): Record<string, unknown> {
  const of = (valueOf: (result: BoundedResult) => number | null | undefined) => {
    const values = results.flatMap((result) => valueOf(result) ?? [])
    return values.length === 0 ? null : estimate(values)
  }
  return {
    hitRatio: of(({ hitRatio }) => hitRatio),
    byteHitRatio: of(({ byteHitRatio }) => byteHitRatio),
    costSavedRatio: of(({ costSavedRatio }) => costSavedRatio),
    clairvoyantCostSavedRatio: of(({ clairvoyantCostSavedRatio }) => clairvoyantCostSavedRatio),
    loadsPer100Requests: of(({ loadsPer100Requests }) => loadsPer100Requests),
    interactiveMeanSeconds: of(({ latencySeconds }) => latencySeconds?.interactive?.mean),
    interactiveP99Seconds: of(({ latencySeconds }) => latencySeconds?.interactive?.p99),
    jainFairness: of(({ jainFairness }) => jainFairness),
  }
}
