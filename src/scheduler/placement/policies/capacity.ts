/**
 * Capacity: a device where a part of the memory stays available for interactive work, and among those the one on which the least memory becomes useless
 * for what is asked for of late; where that is about the same, the fuller one.
 */
import { rateOf } from '../../demand/demand.ts'
import { fragmentationGrowth, type Mix, mixOf, restWeight } from './fragmentation.ts'
import type { RoutingCandidate, RoutingPolicy, RoutingRequest, RoutingView } from './policy.ts'
import { chooseLeast, roomNeeded } from './rating.ts'

export const capacity: RoutingPolicy = {
  choose(view, request) {
    const mix = recentMix(view)
    const { reserveShare } = view.state.settings
    const rated = view.candidates.map((candidate) => {
      const { availableBytes, outstandingMs } = candidate
      const neededBytes = roomNeeded(candidate, request)
      const growthBytes = fragmentationGrowth(mix, availableBytes, neededBytes)
      const restBytes = availableBytes - neededBytes
      return {
        candidate,
        cost: growthBytes + restWeight * restBytes,
        parts: [growthBytes, availableBytes, outstandingMs],
      }
    })
    const fitting = rated.filter(({ candidate }) => keepsReserve(candidate, request, reserveShare))
    // A model that is too large for the reserve to stay free anywhere is served without; others wait for room.
    const isTooLarge = !view.candidates.some(({ limitBytes }) => request.totalBytes <= (1 - reserveShare) * limitBytes)
    return (
      chooseLeast('fragmentation', request, fitting) ??
      (isTooLarge ? chooseLeast('fragmentation', request, rated, true) : null)
    )
  },
}

function keepsReserve(candidate: RoutingCandidate, request: RoutingRequest, reserveShare: number): boolean {
  if (request.class === 'interactive' || candidate.isResident) return true
  return candidate.availableBytes - request.totalBytes >= reserveShare * candidate.limitBytes
}

function recentMix({ state, now }: RoutingView): Mix {
  const { routing, settings, versions } = state
  if (routing.mixRenewedAt !== null && now - routing.mixRenewedAt < settings.mixRenewedMs) return routing.mix
  routing.mixRenewedAt = now
  routing.mix = mixOf(
    [...versions.values()].map(({ spec, learnt }) => ({
      bytes: (learnt.weightsBytes ?? spec.weightsBytes) + (learnt.workingBytes ?? spec.workingBytes),
      weight: rateOf(learnt.demand, now),
    })),
  )
  return routing.mix
}
