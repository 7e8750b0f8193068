/**
 * Adaptive: the least of waiting, loading and running, each weighted by how it has really been in relation to what was predicted, and running corrected by
 * what the model has shown on the very device. One batch job in a hundred goes elsewhere, so that a device which has recovered is found out.
 */
import { draw, drawBelow } from '../../chance.ts'
import type { SchedulerState } from '../../state.ts'
import type { RoutingCandidate, RoutingPolicy, RoutingRequest } from './policy.ts'
import { chooseLeast, execMsThere, type Rated } from './rating.ts'

export const adaptive: RoutingPolicy = {
  choose({ state, candidates }, request) {
    const rated = candidates.map((candidate) => rate(state, candidate, request))
    const best = chooseLeast('learnt', request, rated)
    if (!best || request.class === 'interactive' || candidates.length < 2) return best
    if (draw(state) >= state.settings.exploreShare) return best
    const others = rated.filter(({ candidate }) => candidate.device !== best.device)
    const drawn = others[drawBelow(state, others.length)]
    return drawn ? chooseLeast('learnt', request, [drawn]) : best
  },
}

function rate({ routing }: SchedulerState, candidate: RoutingCandidate, { version }: RoutingRequest): Rated {
  const { trust, biases } = routing
  const bias = biases.get(version.spec.versionId)?.get(candidate.device.spec.deviceId) ?? 0
  const waitMs = trust.wait * candidate.outstandingMs
  const loadMs = trust.load * candidate.loadMs
  const execMs = trust.exec * execMsThere(candidate) * (1 + bias)
  return { candidate, cost: waitMs + loadMs + execMs, parts: [waitMs, loadMs, execMs, bias] }
}
