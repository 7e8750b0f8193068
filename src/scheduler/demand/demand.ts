/**
 * How much a version is asked for: counts that decay at five speeds, from a minute to a day, updated whenever a job of it is accepted. What decays fast
 * knows who is busy now, what decays slowly who comes back tomorrow. Everybody who needs a rate asks here.
 */
import type { Millis } from '../ids.ts'

export interface Demand {
  /** Jobs since the first, never decayed. */
  requests: number
  /** At `lastAt`: jobs, each weighing exp(-age / time constant). */
  readonly counts: number[]
  lastAt: Millis | null
}

const minuteMs = 60_000
export const timeConstantsMs = [minuteMs, 10 * minuteMs, 60 * minuteMs, 360 * minuteMs, 1440 * minuteMs] as const
const tenMinutes = 1

/**
 * Equal parts: whatever the true rhythm of a workload is, the estimate is never off by more than a factor of five, and no file decided it. Who must do
 * better mixes several such estimates by their results, as eviction does.
 */
const share = 1 / timeConstantsMs.length

export function noDemand(): Demand {
  return { requests: 0, counts: timeConstantsMs.map(() => 0), lastAt: null }
}

export function copyDemand({ requests, counts, lastAt }: Demand): Demand {
  return { requests, counts: [...counts], lastAt }
}

export function noteRequest(demand: Demand, now: Millis): void {
  timeConstantsMs.forEach((timeConstantMs, index) => {
    demand.counts[index] = decayed(demand, index, timeConstantMs, now) + 1
  })
  demand.requests += 1
  demand.lastAt = now
}

/** Jobs per millisecond that are to be expected now. */
export function rateOf(demand: Demand, now: Millis): number {
  let rate = 0
  for (const [index, timeConstantMs] of timeConstantsMs.entries())
    rate += (share * decayed(demand, index, timeConstantMs, now)) / timeConstantMs
  return rate
}

/** Jobs of the last ten minutes, older ones fading. */
export function recentCount(demand: Demand, now: Millis): number {
  return decayed(demand, tenMinutes, timeConstantsMs[tenMinutes], now)
}

/** A clock that went back lets nothing grow. */
function decayed({ counts, lastAt }: Demand, index: number, timeConstantMs: Millis, now: Millis): number {
  const ageMs = lastAt === null ? 0 : Math.max(0, now - lastAt)
  return (counts[index] ?? 0) * Math.exp(-ageMs / timeConstantMs)
}
