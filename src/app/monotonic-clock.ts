/** Time that never runs backwards: where the machine's clock is set back, it stands still until that has been made up for. */
import type { Clock } from './context.ts'

export function monotonicClock(): Clock {
  let last = 0
  return {
    now: () => {
      last = Math.max(last, Date.now())
      return last
    },
  }
}
