/**
 * Least loaded first: of the devices that keep a floor of memory available beside the model, the one with the least work before it, then the one with the
 * most memory. Work comes first: by memory alone everything would go to one device, because a queue takes no memory.
 */
import type { RoutingPolicy } from './policy.ts'
import { chooseLeast, roomNeeded } from './rating.ts'

export const leastLoaded: RoutingPolicy = {
  choose({ state, candidates }, request) {
    const rated = candidates.map((candidate) => {
      const { outstandingMs, availableBytes } = candidate
      // Memory decides only between equals, so that it weighs less than a millisecond of work.
      const emptiness = Math.max(0, availableBytes) / candidate.limitBytes
      return { candidate, cost: Math.round(outstandingMs) - emptiness, parts: [outstandingMs, availableBytes] }
    })
    const roomy = rated.filter(
      ({ candidate }) => candidate.availableBytes >= roomNeeded(candidate, request) + state.settings.roomFloorBytes,
    )
    // A model that nobody could hold with the floor beside it is served without.
    return chooseLeast('least', request, roomy) ?? chooseLeast('least', request, rated, true)
  },
}
