/**
 * Weighted round robin: devices take turns as often as they have memory available, a crowded one more rarely still. Smooth: each turn adds every
 * device's weight to its credit, and the one with most credit pays the sum of all. What can be evicted counts as available; by free memory alone a
 * device whose memory is full of idle models would never be chosen, and an empty one always.
 */
import type { SchedulerSettings } from '../../settings.ts'
import type { DeviceShare, RoutingMemory } from './memory.ts'
import type { RoutingCandidate, RoutingPolicy, RoutingView } from './policy.ts'
import { chooseLeast } from './rating.ts'

export const weightedRoundRobin: RoutingPolicy = {
  choose(view, request) {
    const { routing } = view.state
    renew(view)
    let sum = 0
    const rated = view.candidates.map((candidate) => {
      const share = shareOf(routing, candidate)
      share.weight ??= weightOf(view.state.settings, candidate)
      sum += share.weight
      share.credit += share.weight
      return { candidate, cost: -share.credit, parts: [share.weight, share.credit, candidate.availableBytes] }
    })
    const choice = chooseLeast('weight', request, rated)
    const winner = choice && routing.shares.get(choice.device.spec.deviceId)
    if (winner) winner.credit -= sum
    return choice
  },
}

/** Weights are weighed anew; credit stays. */
function renew({ now, state }: RoutingView): void {
  const { routing, settings, devices } = state
  if (routing.sharesRenewedAt !== null && now - routing.sharesRenewedAt < settings.weightsRenewedMs) return
  routing.sharesRenewedAt = now
  for (const [deviceId, share] of routing.shares) {
    if (devices.has(deviceId)) share.weight = null
    else routing.shares.delete(deviceId)
  }
}

function shareOf({ shares }: RoutingMemory, { device }: RoutingCandidate): DeviceShare {
  const { deviceId } = device.spec
  const share = shares.get(deviceId) ?? { weight: null, credit: 0 }
  shares.set(deviceId, share)
  return share
}

function weightOf(
  { crowdedShare, crowdedPenalty }: SchedulerSettings,
  { availableBytes, limitBytes }: RoutingCandidate,
): number {
  const available = Math.max(0, availableBytes) / limitBytes
  return 1 - available > crowdedShare ? available * crowdedPenalty : available
}
