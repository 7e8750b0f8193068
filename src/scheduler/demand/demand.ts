/**
 * How much a version is asked for: counts that decay at five speeds, from a minute to a day, updated whenever a job of it is accepted. What decays fast
 * knows who is busy now, what decays slowly who comes back tomorrow. Everybody who needs a rate asks here.
 */
import type { Millis } from '../ids.ts'

export interface Demand {
  /** Jobs since the first, never decayed. */
  requests: number
  /** Which of all jobs, of whatever version, the latest of them was; 0 = there was none. */
  latest: number
  /** At `lastAt`: jobs, each weighing exp(-age / time constant). */
  readonly counts: number[]
  lastAt: Millis | null
  /** At `seekersAt`: people whose latest job was one of this version, each weighing exp(-age / time constant). */
  readonly seekers: number[]
  seekersAt: Millis | null
}

const minuteMs = 60_000
export const timeConstantsMs = [minuteMs, 10 * minuteMs, 60 * minuteMs, 360 * minuteMs, 1440 * minuteMs] as const
/** What somebody asked for last loses its meaning sooner. */
export const seekerConstantsMs = [timeConstantsMs[0], timeConstantsMs[1], timeConstantsMs[2]] as const
const tenMinutes = 1

/**
 * Equal parts: whatever the true rhythm of a workload is, the estimate is never off by more than a factor of five, and no file decided it. Who must do
 * better learns what each of them counts, as `anticipation.ts` does.
 */
const share = 1 / timeConstantsMs.length

export function noDemand(): Demand {
  const counts = timeConstantsMs.map(() => 0)
  const seekers = seekerConstantsMs.map(() => 0)
  return { requests: 0, latest: 0, counts, lastAt: null, seekers, seekersAt: null }
}

export function copyDemand({ counts, seekers, ...facts }: Demand): Demand {
  return { ...facts, counts: [...counts], seekers: [...seekers] }
}

/** `latest`: its number among all jobs. */
export function noteRequest(demand: Demand, latest: number, now: Millis): void {
  fade(demand.counts, timeConstantsMs, demand.lastAt, now)
  for (let index = 0; index < timeConstantsMs.length; index += 1) demand.counts[index] = (demand.counts[index] ?? 0) + 1
  demand.requests += 1
  demand.latest = latest
  demand.lastAt = now
}

/** Jobs per millisecond that are to be expected now. */
export function rateOf({ counts, lastAt }: Demand, now: Millis): number {
  let rate = 0
  for (let index = 0; index < timeConstantsMs.length; index += 1) {
    const constantMs = timeConstantsMs[index] ?? 1
    rate += ((counts[index] ?? 0) * faded(lastAt, constantMs, now)) / constantMs
  }
  return share * rate
}

/** Jobs of the last ten minutes, older ones fading. */
export function recentCount({ counts, lastAt }: Demand, now: Millis): number {
  return (counts[tenMinutes] ?? 0) * faded(lastAt, timeConstantsMs[tenMinutes], now)
}

/** What is left at `now` of what weighed 1 at `then`. A clock that went back lets nothing grow. */
export function faded(then: Millis | null, constantMs: Millis, now: Millis): number {
  return then === null ? 0 : Math.exp(-Math.max(0, now - then) / constantMs)
}

export function fade(counts: number[], constantsMs: readonly Millis[], then: Millis | null, now: Millis): void {
  for (let index = 0; index < constantsMs.length; index += 1)
    counts[index] = (counts[index] ?? 0) * faded(then, constantsMs[index] ?? 0, now)
}
