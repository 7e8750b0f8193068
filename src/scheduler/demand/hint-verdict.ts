/** What comes of a hint as things are now. */
import type { Millis, VersionId } from '../ids.ts'
import { usualLoadMs } from '../learning/times.ts'
import { isHoldable } from '../placement/misfit.ts'
import { offersFor } from '../placement/placement.ts'
import { hintWant } from '../placement/wants.ts'
import { isGone, isLive, type SchedulerState } from '../state.ts'

/**
 * there, loading: nothing is left to do. fits: it is loaded. displaces: it is loaded in place of models that are less likely to be missed. These are
 * honoured. unlikely: it says itself that nothing will come. gone, too_large: it can be loaded nowhere. in_use: models in use, or kept for somebody,
 * have the memory. worth_less: what would have to go is likelier to be missed; both come true should memory become free in time.
 */
export type HintVerdict =
  | 'there'
  | 'loading'
  | 'fits'
  | 'displaces'
  | 'unlikely'
  | 'gone'
  | 'too_large'
  | 'in_use'
  | 'worth_less'

export function hintVerdict(
  state: SchedulerState,
  versionId: VersionId,
  probability: number,
  now: Millis,
): HintVerdict {
  const version = state.versions.get(versionId)
  if (!version || isGone(version)) return 'gone'
  if (!(probability > 0)) return 'unlikely'
  const copies = version.residencies.filter(isLive)
  if (copies.some((copy) => copy.state === 'resident')) return 'there'
  if (copies.length > 0) return 'loading'
  if (!isHoldable(state, version, null)) return 'too_large'
  const [best] = offersFor(state, version, hintWant, now)
  if (!best?.completion) return 'in_use'
  if (best.missingBytes === 0) return 'fits'
  return Math.min(1, probability) * usualLoadMs(state, version) > best.completion.evictedMs ? 'displaces' : 'worth_less'
}

export function isHonoured(verdict: HintVerdict): boolean {
  return verdict === 'there' || verdict === 'loading' || verdict === 'fits' || verdict === 'displaces'
}
