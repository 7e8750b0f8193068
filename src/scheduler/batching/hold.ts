/**
 * How long a step that is not full waits for another task. Who joins it saves the device what a step costs beside its states, which is worth something
 * in so far as the device has other work; who waits for it loses that time. So a step holds while, in the time in which another is to be expected,
 * more is saved than lost; it never holds where hardly anybody comes.
 */
import { type BatchCurve, isKnown, stepLine } from './curve.ts'
import type { BatchingSettings } from './settings.ts'

/** `rate`: tasks per millisecond that come; `busyShare`: of the device's time that is taken. Null: as the manifest says. */
export function holdMsOf(
  curve: BatchCurve,
  rate: number,
  busyShare: number,
  { delayCost, holdMsMax }: Pick<BatchingSettings, 'delayCost' | 'holdMsMax'>,
): number | null {
  if (delayCost === 0) return holdMsMax * idleShareToSpend(curve, busyShare)
  if (!isKnown(curve)) return null
  const worthMs = (Math.max(0, curve.baseMs) * busyShare) / delayCost
  return rate * worthMs > 1 ? Math.min(worthMs, holdMsMax) : 0
}

/**
 * Idle time of a device that is hardly ever idle is needed for what comes next; the less company saves, the less of it is spent on waiting. By trial over
 * l(b) from 4 + b / 4 to 5 + 40 b with nine tenths of a device taken: without the exponent steps that gain little from company came too late.
 */
function idleShareToSpend(curve: BatchCurve, busyShare: number): number {
  const { baseMs, stateMs } = stepLine(curve)
  const savedShare = baseMs / Math.max(baseMs + stateMs, Number.EPSILON)
  return busyShare === 0 ? 1 : (1 - busyShare) ** (1 / Math.max(savedShare, Number.EPSILON))
}
