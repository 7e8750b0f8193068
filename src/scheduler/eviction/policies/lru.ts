/** Least recently used: whoever was asked for longest ago goes, whatever it costs to come back. */
import type { EvictionPolicy } from './policy.ts'

export const lru: EvictionPolicy = {
  worthOf(_state, { usedAt }, now) {
    return 1 / (1 + Math.max(0, now - usedAt))
  },
}
