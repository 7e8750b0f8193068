/** Where a job is on the ladder of `memory-ladder.ts`, and what follows from it for its admission. */
import type { DeviceId, Millis } from '../ids.ts'
import { deviceOf, type Job, type LiveResidency } from '../state.ts'

/** Plain values: it goes into snapshots as it is. */
export interface MemoryClimb {
  /** Rungs that lie behind it, those that had nothing to offer included. */
  rung: number
  /** Nothing of it is admitted before; null = it does not wait. */
  restsUntil: Millis | null
  /** Nothing of it is admitted there until then; null = it may be anywhere. */
  avoids: DeviceId | null
  avoidsUntil: Millis
}

export function noClimb(): MemoryClimb {
  return { rung: 0, restsUntil: null, avoids: null, avoidsUntil: 0 }
}

export function isResting({ memory }: Job): boolean {
  return memory.restsUntil !== null
}

export function isAvoided({ memory }: Job, residency: LiveResidency): boolean {
  return memory.avoids !== null && memory.avoids === deviceOf(residency).spec.deviceId
}
