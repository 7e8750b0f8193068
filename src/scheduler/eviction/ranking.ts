/** What the models on a device are worth there, by the policy that is set. */
import { rateOf } from '../demand/demand.ts'
import type { Score } from '../explain/scores.ts'
import type { Millis } from '../ids.ts'
import { loadMsOf } from '../learning/times.ts'
import { type Device, isLive, type LiveResidency, type SchedulerState } from '../state.ts'
import { byWorth, type Candidate } from './cover.ts'
import type { Holding } from './policies/policy.ts'
import { roomOfResidency } from './rooms.ts'
import { worthsOf } from './worths.ts'

export interface Ranked extends Candidate {
  readonly residency: LiveResidency
  readonly holding: Holding
  /** Among what could go; whoever is worth least is 0. */
  readonly place: number
}

/** Whoever is worth least comes first; those that nobody can load again before all others. */
export function rank(
  state: SchedulerState,
  device: Device,
  residencies: readonly LiveResidency[],
  now: Millis,
): Ranked[] {
  const holdings = residencies.map((residency) => holdingOf(state, device, residency))
  const worths = worthsOf(state, poolOf(state, device), holdings, now)
  return residencies
    .map((residency, index) => {
      const { version } = residency
      const holding = holdings[index] ?? holdingOf(state, device, residency)
      const worth = cannotReturn(residency) ? 0 : (worths[index] ?? 0)
      const { latest } = holding.demand
      return { residency, holding, worth, latest, versionId: version.spec.versionId, ...roomOfResidency(residency) }
    })
    .sort((a, b) => Number(cannotReturn(b.residency)) - Number(cannotReturn(a.residency)) || byWorth(a, b))
    .map((each, place) => ({ ...each, place }))
}

/** For a decision: the winner is who leaves. */
export function valueScore(device: Device, { residency, holding, place }: Ranked, now: Millis): Score {
  const usesPerHour = rateOf(holding.demand, now) * 3_600_000
  const { versionId } = residency.version.spec
  return { deviceId: device.spec.deviceId, versionId, parts: [usesPerHour, holding.loadMs, holding.bytes, place] }
}

/** Its files have been replaced: nothing new comes for it, and it can never be loaded again. */
export function cannotReturn({ version }: LiveResidency): boolean {
  return version.standing === 'replaced'
}

function holdingOf(state: SchedulerState, device: Device, residency: LiveResidency): Holding {
  const { version, lastUsedAt, loadedAt } = residency
  const rising = poolOf(state, device)?.shadows.get('gdsf')
  return {
    demand: version.learnt.demand,
    usedAt: lastUsedAt ?? loadedAt ?? 0,
    loadMs: loadMsOf(state, version, device),
    bytes: roomOfResidency(residency).totalBytes,
    otherCopies: version.residencies.filter((other) => other !== residency && isLive(other)).length,
    risen: rising?.risenAt.get(version.spec.versionId) ?? 0,
    risenNow: rising?.risen ?? 0,
  }
}

function poolOf({ pools }: SchedulerState, { pooled }: Device) {
  return pooled ? pools.get(pooled.key) : undefined
}
