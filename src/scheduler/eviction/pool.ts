/**
 * Devices that are alike, as one memory, and how policies would have done in it. The weights of the mixture come from here: each policy's shadow cache
 * sees every job, and a policy counts exp(-rate x what its misses cost of late) (Hedge, Freund and Schapire 1997).
 */
import type { DeviceSpec } from '../events.ts'
import type { Millis, VersionId } from '../ids.ts'
import { usualLoadMs } from '../learning/times.ts'
import type { Device, SchedulerState, Version } from '../state.ts'
import { type EvictionName, type Expert, experts, policyOf } from './policies/policies.ts'
import { feedShadow, noShadow, type Shadow } from './shadow.ts'

export interface Pool {
  /** Of the devices in it, what weights may fill. Counted anew when they are announced. */
  limitBytes: number
  /** Of the largest device: what does not fit there is not fed. */
  largestBytes: number
  jobs: number
  meanLoadMs: Millis
  readonly shadows: Map<Expert, Shadow>
}

function noPool(): Pool {
  return { limitBytes: 0, largestBytes: 0, jobs: 0, meanLoadMs: 0, shadows: new Map() }
}

/** A device is announced, described anew, lost or back. */
export function joinPool(state: SchedulerState, device: Device): void {
  const { pooled, spec } = device
  if (pooled) {
    const before = state.pools.get(pooled.key)
    if (before) before.limitBytes -= pooled.limitBytes
  }
  const key = poolKeyOf(spec)
  let pool = state.pools.get(key)
  if (!pool) {
    pool = noPool()
    state.pools.set(key, pool)
  }
  const limitBytes = device.isLost ? 0 : Math.floor(state.settings.weightsShare * spec.limitBytes)
  device.pooled = { key, limitBytes }
  pool.limitBytes += limitBytes
  pool.largestBytes = Math.max(pool.largestBytes, limitBytes)
}

/** Within half an octave of memory, with as many cores. */
function poolKeyOf({ limitBytes, coreCount }: DeviceSpec): string {
  return `${coreCount}/${Math.round(2 * Math.log2(Math.max(1, limitBytes)))}`
}

/** Before the job is routed: every pool that could hold the version learns how its policies would have served it. */
export function feedPools(state: SchedulerState, version: Version, now: Millis): void {
  const asked = { versionId: version.spec.versionId, bytes: version.learnt.weightsBytes ?? version.spec.weightsBytes }
  for (const pool of state.pools.values())
    if (pool.limitBytes > 0 && asked.bytes <= pool.largestBytes) feedPool(state, pool, version, asked, now)
}

function feedPool(
  state: SchedulerState,
  pool: Pool,
  version: Version,
  asked: { readonly versionId: VersionId; readonly bytes: number },
  now: Millis,
): void {
  const { settings } = state
  const loadMs = usualLoadMs(state, version)
  pool.jobs += 1
  pool.meanLoadMs += (loadMs - pool.meanLoadMs) / pool.jobs
  const cost = pool.meanLoadMs > 0 ? loadMs / pool.meanLoadMs : 1
  for (const expert of expertsIn(settings.eviction)) {
    let shadow = pool.shadows.get(expert)
    if (!shadow) {
      shadow = noShadow()
      pool.shadows.set(expert, shadow)
    }
    shadow.loss *= settings.hedgeMemory
    if (!feedShadow(state, shadow, policyOf(expert), asked, pool.limitBytes, now)) shadow.loss += cost
  }
}

/** The only other policy that needs a shadow is the one whose values rise. */
function expertsIn(eviction: EvictionName): readonly Expert[] {
  if (eviction === 'hedge') return experts
  return eviction === 'gdsf' ? ['gdsf'] : []
}

/** What each policy of the mixture counts; the best one 1. */
export function weightsOf(state: SchedulerState, pool: Pool): Map<Expert, number> {
  let least = Number.POSITIVE_INFINITY
  for (const { loss } of pool.shadows.values()) least = Math.min(least, loss)
  const weights = new Map<Expert, number>()
  for (const expert of experts) {
    const loss = pool.shadows.get(expert)?.loss ?? least
    weights.set(expert, least === Number.POSITIVE_INFINITY ? 1 : Math.exp(-state.settings.hedgeRate * (loss - least)))
  }
  return weights
}
