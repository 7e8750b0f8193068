/**
 * How long a step that is not full waits for another task. Who joins it saves the device what a step costs beside its states, which is worth something
 * in so far as the device has other work; who waits for it loses that time. So a step holds while, in the time in which another is to be expected,
 * more is saved than lost; it never holds where hardly anybody comes.
 */
import { type BatchCurve, isKnown } from './curve.ts'
import type { BatchingSettings } from './settings.ts'

/** `rate`: tasks per millisecond that come; `busyShare`: of the device's time that is taken. Null: as the manifest says. */
export function holdMsOf(
  curve: BatchCurve,
  rate: number,
  busyShare: number,
  { delayCost, holdMsMax }: Pick<BatchingSettings, 'delayCost' | 'holdMsMax'>,
): number | null {
  if (!isKnown(curve)) return null
  if (delayCost === 0) return holdMsMax
  const worthMs = (Math.max(0, curve.baseMs) * busyShare) / delayCost
  return rate * worthMs > 1 ? Math.min(worthMs, holdMsMax) : 0
}
