/**
 * A cache that holds nothing: what would be in memory if one policy had decided alone, over all devices of a pool taken as one memory. Fed with every job
 * before it is routed, so that policies are judged by what was asked for and not by each other's choices.
 */
import type { Millis, VersionId } from '../ids.ts'
import { usualLoadMs } from '../learning/times.ts'
import type { SchedulerState } from '../state.ts'
import { byWorth, type Candidate, cheapToSpare } from './cover.ts'
import type { EvictionPolicy } from './policies/policy.ts'

export interface Shadow {
  /** Load time of what was missing when it was asked for, in mean loads, older ones fading. */
  loss: number
  /** Bytes of each, in the order in which they came, or were last looked at. */
  readonly residents: Map<VersionId, number>
  usedBytes: number
  /** How far values have risen, and had when each version was last asked for; only for a policy by which they rise. */
  risen: number
  readonly risenAt: Map<VersionId, number>
}

export function noShadow(): Shadow {
  return { loss: 0, residents: new Map(), usedBytes: 0, risen: 0, risenAt: new Map() }
}

/** The victims are chosen among so many; whoever stays is looked at again after all others. */
const scanMax = 256

/** Somebody asks for the version. Answers whether it was there. */
export function feedShadow(
  state: SchedulerState,
  shadow: Shadow,
  policy: EvictionPolicy,
  asked: { readonly versionId: VersionId; readonly bytes: number },
  limitBytes: number,
  now: Millis,
): boolean {
  const { residents } = shadow
  const { versionId, bytes } = asked
  const heldBytes = residents.get(versionId)
  if (policy.rises) shadow.risenAt.set(versionId, shadow.risen)
  if (heldBytes === bytes) return true
  residents.delete(versionId)
  shadow.usedBytes += bytes - (heldBytes ?? 0)
  const missingBytes = shadow.usedBytes - limitBytes
  if (missingBytes > 0) makeShadowRoom(state, shadow, policy, missingBytes, now)
  residents.set(versionId, bytes)
  if (policy.rises) shadow.risenAt.set(versionId, shadow.risen)
  return heldBytes !== undefined
}

function makeShadowRoom(
  state: SchedulerState,
  shadow: Shadow,
  policy: EvictionPolicy,
  missingBytes: number,
  now: Millis,
): void {
  const candidates: (Candidate & { readonly versionId: VersionId })[] = []
  for (const [versionId, bytes] of shadow.residents) {
    if (candidates.length >= scanMax) break
    candidates.push({
      versionId,
      latest: state.learnt.get(versionId)?.demand.latest ?? 0,
      worth: worthInShadow(state, shadow, policy, versionId, bytes, now),
      totalBytes: bytes,
      weightsBytes: bytes,
    })
  }
  if (candidates.length < shadow.residents.size) {
    for (const { versionId, totalBytes } of candidates) {
      shadow.residents.delete(versionId)
      shadow.residents.set(versionId, totalBytes)
    }
  }
  const victims = cheapToSpare(candidates.sort(byWorth), { totalBytes: missingBytes, weightsBytes: 0 })
  for (const { versionId, totalBytes } of victims) {
    shadow.residents.delete(versionId)
    shadow.usedBytes -= totalBytes
  }
  if (policy.rises) shadow.risen += Math.max(0, ...victims.map(({ worth }) => worth))
}

/** A version that is not registered any more is worth nothing. */
function worthInShadow(
  state: SchedulerState,
  shadow: Shadow,
  policy: EvictionPolicy,
  versionId: VersionId,
  bytes: number,
  now: Millis,
): number {
  const version = state.versions.get(versionId)
  if (!version) return 0
  const holding = {
    demand: version.learnt.demand,
    usedAt: version.learnt.demand.lastAt ?? 0,
    loadMs: usualLoadMs(state, version),
    bytes,
    otherCopies: 0,
    risen: shadow.risenAt.get(versionId) ?? 0,
    risenNow: shadow.risen,
  }
  return policy.worthOf(state, holding, now)
}
