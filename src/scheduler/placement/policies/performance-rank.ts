/**
 * Performance: the fastest device that is ready, by how long the model has run there; work that is ahead makes a device seem slower. What a load costs
 * does not count, so that models follow speed and not each other.
 */
import type { RoutingPolicy } from './policy.ts'
import { chooseLeast, execMsThere } from './rating.ts'

export const performanceRank: RoutingPolicy = {
  choose({ state, candidates }, request) {
    const ready = candidates.filter(({ isStaffed }) => isStaffed)
    const rated = (ready.length > 0 ? ready : candidates).map((candidate) => {
      const execMs = execMsThere(candidate)
      const seemingMs = execMs * (1 + candidate.outstandingMs / state.settings.busyDoublesMs)
      return { candidate, cost: seemingMs, parts: [seemingMs, execMs, candidate.outstandingMs] }
    })
    return chooseLeast('fastest', request, rated)
  },
}
