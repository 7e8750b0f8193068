/** What no policy can do better, computed on the rows that a run has used: all devices are taken as one memory, and nothing is reordered. */
import { bestClairvoyant, type ClairvoyantRule } from '../bounds/clairvoyant.ts'
import { oraclePrefetch } from '../bounds/oracle-prefetch.ts'
import { pfooBound } from '../bounds/pfoo.ts'
import { fittingIn, gigabyte, type Workload } from '../traces/workload.ts'
import type { TraceOptions } from '../world/trace-options.ts'

export interface Bounds {
  readonly clairvoyantRule: ClairvoyantRule
  readonly clairvoyantHitRatio: number
  readonly clairvoyantByteHitRatio: number
  readonly clairvoyantCostSavedRatio: number
  readonly pfooCostSavedRatio: number
  /** With loads ahead of need, by somebody who sees the next minute. */
  readonly oraclePrefetchCostSavedRatio: number
}

export const oracleHorizonMs = 60_000

export function boundsOf(
  workload: Workload,
  { devices, memoryGb, warmupShare, compress }: Pick<TraceOptions, 'devices' | 'memoryGb' | 'warmupShare' | 'compress'>,
): Bounds {
  const served = fittingIn(workload, memoryGb * gigabyte)
  const memoryBytes = devices * memoryGb * gigabyte
  const warmupRows = Math.floor(served.requests.length * warmupShare)
  const best = bestClairvoyant(served, memoryBytes, warmupRows)
  return {
    clairvoyantRule: best.rule,
    clairvoyantHitRatio: best.hitRatio,
    clairvoyantByteHitRatio: best.byteHitRatio,
    clairvoyantCostSavedRatio: best.costSavedRatio,
    pfooCostSavedRatio: pfooBound(served, memoryBytes, warmupRows),
    oraclePrefetchCostSavedRatio: oraclePrefetch(served, memoryBytes, warmupRows, {
      horizonMs: oracleHorizonMs,
      compress,
    }),
  }
}
