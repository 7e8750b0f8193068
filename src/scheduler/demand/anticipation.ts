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
  /** What people asked for last; whoever asked longest ago is first. */
  readonly seekers: Map<string, Seeker>
}

export interface Seeker {
  readonly versionId: VersionId
  readonly at: Millis
}

const guesses: readonly Millis[] = [...timeConstantsMs, Number.POSITIVE_INFINITY, ...seekerConstantsMs]
const ever = timeConstantsMs.length
const firstSeeker = ever + 1
/** Less than this is what rounding leaves of a count. */
const negligible = 1e-9

export function noAnticipation(): Anticipation {
  const each = 1 / guesses.length
  return { weights: guesses.map(() => each), totals: guesses.map(() => 0), at: null, seekers: new Map() }
}

/** That the next job, whenever it comes, is one of the version. */
export function chanceOf({ weights, totals, at }: Anticipation, demand: Demand, now: Millis): number {
  let chance = 0
  for (const [index, constantMs] of guesses.entries()) {
    const total = (totals[index] ?? 0) * faded(at, constantMs, now)
    if (total > negligible) chance += ((weights[index] ?? 0) * countOf(demand, index, constantMs, now)) / total
  }
  return chance
}

/** Before the job is counted: guesses that saw it coming count more from now on. A first job of a version says nothing about them. */
export function learnWeights(anticipation: Anticipation, demand: Demand, rate: number, now: Millis): void {
  const { weights, totals, at } = anticipation
  const chance = chanceOf(anticipation, demand, now)
  if (demand.requests === 0 || chance < negligible) return
  for (const [index, constantMs] of guesses.entries()) {
    const total = (totals[index] ?? 0) * faded(at, constantMs, now)
    const guess = total > negligible ? countOf(demand, index, constantMs, now) / total : 0
    const weight = weights[index] ?? 0
    weights[index] = weight + rate * ((weight * guess) / chance - weight)
  }
}

/** Answers its number among all jobs. */
export function countJob(anticipation: Anticipation, now: Millis): number {
  const { totals } = anticipation
  fade(totals, guesses, anticipation.at, now)
  anticipation.at = now
  for (let index = 0; index < firstSeeker; index += 1) totals[index] = (totals[index] ?? 0) + 1
  return totals[ever] ?? 0
}

/**
 * After `countJob`. Whoever asked for something else before is not looking for it any more. Beyond `seekersMax`, whoever asked longest ago is forgotten:
 * what that counted for fades by itself.
 */
export function noteSeeker(
  anticipation: Anticipation,
  who: string,
  versionId: VersionId,
  demandOf: (versionId: VersionId) => Demand | undefined,
  seekersMax: number,
  now: Millis,
): void {
  const { seekers } = anticipation
  const before = seekers.get(who)
  const left = before && demandOf(before.versionId)
  if (before && left) moveSeekers(anticipation, left, (constantMs) => -faded(before.at, constantMs, now), now)
  const found = demandOf(versionId)
  if (!found) return
  moveSeekers(anticipation, found, () => 1, now)
  seekers.delete(who)
  seekers.set(who, { versionId, at: now })
  const [oldest] = seekers.keys()
  if (seekers.size > seekersMax && oldest !== undefined) seekers.delete(oldest)
}

function moveSeekers({ totals }: Anticipation, demand: Demand, by: (constantMs: Millis) => number, now: Millis): void {
  fade(demand.seekers, seekerConstantsMs, demand.seekersAt, now)
  demand.seekersAt = now
  for (const [index, constantMs] of seekerConstantsMs.entries()) {
    demand.seekers[index] = Math.max(0, (demand.seekers[index] ?? 0) + by(constantMs))
    totals[firstSeeker + index] = Math.max(0, (totals[firstSeeker + index] ?? 0) + by(constantMs))
  }
}

function countOf(
  { requests, counts, lastAt, seekers, seekersAt }: Demand,
  index: number,
  constantMs: Millis,
  now: Millis,
): number {
  if (index < ever) return (counts[index] ?? 0) * faded(lastAt, constantMs, now)
  if (index === ever) return requests
  return (seekers[index - firstSeeker] ?? 0) * faded(seekersAt, constantMs, now)
}
