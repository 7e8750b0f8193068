/** Least frequently used, as the books have it: jobs since the first, without ageing. Former favourites stay for long; kept for comparison. */
import type { EvictionPolicy } from './policy.ts'

export const lfu: EvictionPolicy = {
  worthOf(_state, { demand }) {
    return demand.requests
  },
}
