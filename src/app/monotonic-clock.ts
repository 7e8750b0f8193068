/** Time that never runs backwards, whatever happens to the machine's clock: set by it once, then counted. */
import type { Clock } from './context.ts'

export function monotonicClock(): Clock {
  const offset = Date.now() - performance.now()
  return { now: () => Math.round(offset + performance.now()) }
}
