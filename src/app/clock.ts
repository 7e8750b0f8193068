/**
 * Time that never runs backwards and never stands still. Where the machine's clock is set back, what is due must still come to pass: until the two agree
 * again this one runs on a little slower. Where it is set ahead, or the machine slept, this one follows at once.
 */
import type { Millis } from '../scheduler/ids.ts'

export interface Clock {
  readonly now: () => Millis
}

/** So much of real time goes by while the clock is ahead. */
const slowRate = 0.9

/** `wallMs` is the time of day, which may be set; `steadyMs` counts from whenever, and is never set. */
export function monotonicClock(
  wallMs: () => number = Date.now,
  steadyMs: () => number = () => performance.now(),
): Clock {
  let time = wallMs()
  let lookedAt = steadyMs()
  return {
    now: () => {
      const steady = steadyMs()
      time = Math.max(wallMs(), time + (steady - lookedAt) * slowRate)
      lookedAt = steady
      return Math.floor(time)
    },
  }
}
