/** Round robin: devices take turns by their ids, whatever they have to do and whatever lies in their memory. Every model ends up everywhere. */
import type { RoutingPolicy } from './policy.ts'
import { chooseLeast } from './rating.ts'

export const roundRobin: RoutingPolicy = {
  choose({ state, candidates }, request) {
    const last = state.routing.lastDeviceId ?? 0
    const next = candidates.findIndex(({ device }) => device.spec.deviceId > last)
    const first = Math.max(0, next)
    const rated = candidates.map((candidate, index) => {
      const turnsAhead = (index - first + candidates.length) % candidates.length
      return { candidate, cost: turnsAhead, parts: [turnsAhead] }
    })
    const choice = chooseLeast('turn', request, rated)
    if (choice) state.routing.lastDeviceId = choice.device.spec.deviceId
    return choice
  },
}
