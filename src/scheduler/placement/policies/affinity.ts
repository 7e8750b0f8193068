/**
 * Affinity: the device that suits the model best, by memory, speed, how little is to be loaded, temperature and reliability. What waits there does not
 * count while others suit less, so that a popular model stays where it is and its queue grows: few loads, long waits.
 */
import type { RoutingCandidate, RoutingPolicy, RoutingRequest } from './policy.ts'
import { chooseLeast, execMsThere, roomNeeded } from './rating.ts'

const weights = { memory: 0.35, speed: 0.25, load: 0.2, temperature: 0.1, reliability: 0.1 } as const

export const affinity: RoutingPolicy = {
  choose({ state, candidates }, request) {
    const { compatibleEnough, compatibleDegraded } = state.settings
    const rated = candidates.map((candidate) => {
      const parts = compatibilityOf(candidate, request)
      return { candidate, cost: 1 - (parts[0] ?? 0), parts }
    })
    const above = (least: number) => rated.filter(({ cost }) => 1 - cost >= least)
    return (
      chooseLeast('compatibility', request, above(compatibleEnough)) ??
      chooseLeast('compatibility', request, above(compatibleDegraded), true)
    )
  },
}

/** The whole, then its parts, each from 0 to 1. Zero where the model could never be. */
function compatibilityOf(candidate: RoutingCandidate, request: RoutingRequest): number[] {
  const { isResident, freeBytes, limitBytes, speed, loadMs, temperatureFactor, failRate } = candidate
  const neededBytes = roomNeeded(candidate, request)
  // Half of it for room that others have to make first.
  const memory = isResident ? 1 : 0.5 + 0.5 * share(freeBytes / Math.max(1, neededBytes))
  const execMs = execMsThere(candidate)
  const load = execMs + loadMs > 0 ? execMs / (execMs + loadMs) : 1
  const whole =
    weights.memory * memory +
    weights.speed * share(speed) +
    weights.load * load +
    weights.temperature * share(temperatureFactor) +
    weights.reliability * (1 - share(failRate))
  const canHold = neededBytes <= limitBytes
  return [canHold ? whole : 0, memory, share(speed), load, share(temperatureFactor), 1 - share(failRate)]
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value))
}
