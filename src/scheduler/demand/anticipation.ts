/**
 * How likely the next job is one of a version. Nine simple guesses each give every version its share: what was asked for within a minute, ten minutes,
 * an hour, six hours, a day and ever, and whom people asked for last, within a minute, ten minutes and an hour. How much each guess counts is learnt
 * from what comes: a mixture whose weights follow the likelihood of each job (online expectation-maximisation). Constant time per job.
 */
import type { Millis, VersionId } from '../ids.ts'
import { type Demand, fade, faded, seekerConstantsMs, timeConstantsMs } from './demand.ts'

export interface Anticipation {
  /** What each guess counts; together 1. */
  readonly weights: number[]
  /** At `at`: the counts of all versions, which each guess shares out. */
  readonly totals: number[]
  at: Millis | null
  /** What people asked for last; whoever came first is first. */
  readonly seekers: Map<number, Seeker>
}

export interface Seeker {
  readonly versionId: VersionId
  readonly at: Millis
}

const ever = timeConstantsMs.length
const firstSeeker = ever + 1
const guessCount = firstSeeker + seekerConstantsMs.length
const guesses: readonly Millis[] = [...timeConstantsMs, Number.POSITIVE_INFINITY, ...seekerConstantsMs]
/** Less than this is what rounding leaves of a count. */
const negligible = 1e-9

export function noAnticipation(): Anticipation {
  const each = 1 / guessCount
  return { weights: guesses.map(() => each), totals: guesses.map(() => 0), at: null, seekers: new Map() }
}

/** That the next job, whenever it comes, is one of the version. */
export function chanceOf(anticipation: Anticipation, demand: Demand, now: Millis): number {
  price(anticipation, now)
  countAt(demand, now)
  let chance = 0
  for (let index = 0; index < guessCount; index += 1) chance += (prices[index] ?? 0) * (counts[index] ?? 0)
  return chance
}

/** Before the job is counted: guesses that saw it coming count more from now on. A first job of a version says nothing about them. */
export function learnWeights(anticipation: Anticipation, demand: Demand, rate: number, now: Millis): void {
  if (demand.requests === 0) return
  const { weights } = anticipation
  const chance = chanceOf(anticipation, demand, now)
  if (chance < negligible) return
  for (let index = 0; index < guessCount; index += 1) {
    const credit = ((prices[index] ?? 0) * (counts[index] ?? 0)) / chance
    weights[index] = (weights[index] ?? 0) + rate * (credit - (weights[index] ?? 0))
  }
  pricesFor = null
}

/** Answers its number among all jobs. */
export function countJob(anticipation: Anticipation, now: Millis): number {
  const { totals } = anticipation
  fade(totals, guesses, anticipation.at, now)
  anticipation.at = now
  for (let index = 0; index < firstSeeker; index += 1) totals[index] = (totals[index] ?? 0) + 1
  pricesFor = null
  return totals[ever] ?? 0
}

/**
 * After `countJob`. Whoever asked for something else before is not looking for it any more. Beyond `seekersMax`, those who came first are forgotten:
 * what they counted for fades by itself.
 */
export function noteSeeker(
  anticipation: Anticipation,
  who: number,
  versionId: VersionId,
  demandOf: (versionId: VersionId) => Demand | undefined,
  seekersMax: number,
  now: Millis,
): void {
  const { seekers } = anticipation
  const before = seekers.get(who)
  const left = before && demandOf(before.versionId)
  if (left) moveSeekers(anticipation, left, -1, before.at, now)
  const found = demandOf(versionId)
  if (!found) return
  moveSeekers(anticipation, found, 1, now, now)
  seekers.set(who, { versionId, at: now })
  if (seekers.size > seekersMax) forgetSome(seekers)
}

/** Many at a time, because looking for the first is the slow part. */
function forgetSome(seekers: Map<number, Seeker>): void {
  let left = Math.ceil(seekers.size / 8)
  for (const who of seekers.keys()) {
    if (left === 0) return
    seekers.delete(who)
    left -= 1
  }
}

/** `by` people, who asked for it `since` then. */
function moveSeekers({ totals }: Anticipation, demand: Demand, by: 1 | -1, since: Millis, now: Millis): void {
  fade(demand.seekers, seekerConstantsMs, demand.seekersAt, now)
  demand.seekersAt = now
  for (let index = 0; index < seekerConstantsMs.length; index += 1) {
    const weight = by * faded(since, seekerConstantsMs[index] ?? 0, now)
    demand.seekers[index] = Math.max(0, (demand.seekers[index] ?? 0) + weight)
    totals[firstSeeker + index] = Math.max(0, (totals[firstSeeker + index] ?? 0) + weight)
  }
  pricesFor = null
}

/** Many versions are asked about at one time: what each guess counts, per job, is worked out once. It is forgotten whenever weights or totals change. */
let pricesFor: Anticipation | null = null
let pricesAt: Millis = 0
const prices = new Float64Array(guessCount)
const counts = new Float64Array(guessCount)

function price(anticipation: Anticipation, now: Millis): void {
  if (pricesFor === anticipation && pricesAt === now) return
  const { weights, totals, at } = anticipation
  for (let index = 0; index < guessCount; index += 1) {
    const total = (totals[index] ?? 0) * faded(at, guesses[index] ?? 0, now)
    prices[index] = total > negligible ? (weights[index] ?? 0) / total : 0
  }
  pricesFor = anticipation
  pricesAt = now
}

function countAt({ requests, counts: jobs, lastAt, seekers, seekersAt }: Demand, now: Millis): void {
  for (let index = 0; index < ever; index += 1)
    counts[index] = (jobs[index] ?? 0) * faded(lastAt, timeConstantsMs[index] ?? 0, now)
  counts[ever] = requests
  for (let index = 0; index < seekerConstantsMs.length; index += 1)
    counts[firstSeeker + index] = (seekers[index] ?? 0) * faded(seekersAt, seekerConstantsMs[index] ?? 0, now)
}
