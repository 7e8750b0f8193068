/** Time that never runs backwards: where the machine's clock is set back, it stands still until that has been made up for. */
import type { Millis } from '../scheduler/ids.ts'

export interface Clock {
  readonly now: () => Millis
}

export function monotonicClock(): Clock {
  let last = 0
  return {
    now: () => {
      last = Math.max(last, Date.now())
      return last
    },
  }
}
