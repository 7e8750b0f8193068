/** From rated candidates to a choice: the least cost wins, among equals who has less to do, then by device id. */
import type { ScoreScheme } from '../../explain/scores.ts'
import type { RoutingCandidate, RoutingChoice, RoutingRequest } from './policy.ts'

export interface Rated {
  readonly candidate: RoutingCandidate
  readonly cost: number
  /** As the scheme names them. */
  readonly parts: readonly number[]
}

/** As many as a decision keeps. */
const toldMax = 4

export function chooseLeast(
  scheme: ScoreScheme,
  { version }: RoutingRequest,
  rated: readonly Rated[],
  isDegraded = false,
): RoutingChoice | null {
  const best = rated.toSorted(compare).slice(0, toldMax)
  const [winner] = best
  if (!winner) return null
  const scores = best.map(({ candidate, parts }) => ({
    deviceId: candidate.device.spec.deviceId,
    versionId: version.spec.versionId,
    parts,
  }))
  return { device: winner.candidate.device, scheme, scores, isDegraded, forecast: forecastOf(winner.candidate) }
}

function forecastOf({ outstandingMs, loadMs, execMs }: RoutingCandidate) {
  return { waitMs: outstandingMs, loadMs, execMs }
}

function compare(a: Rated, b: Rated): number {
  return (
    a.cost - b.cost ||
    a.candidate.outstandingMs - b.candidate.outstandingMs ||
    a.candidate.device.spec.deviceId - b.candidate.device.spec.deviceId
  )
}

/** What it must have available for the request: nothing more where the model is already. */
export function roomNeeded({ isResident }: RoutingCandidate, { totalBytes }: RoutingRequest): number {
  return isResident ? 0 : totalBytes
}

/** Heat slows it down. */
export function execMsThere({ execMs, temperatureFactor }: RoutingCandidate): number {
  return execMs / Math.max(0.01, temperatureFactor)
}
