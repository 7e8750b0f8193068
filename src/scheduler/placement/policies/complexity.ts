/**
 * Complexity: short jobs go to queues that drain fast. How long a job will take is predicted from the work that it announces; devices are split into a
 * part for short and a part for long jobs, as large as the work of each; a long job goes among the short ones only if it gains its own length by it.
 */
import type { Millis } from '../../ids.ts'
import type { RoutingMemory } from './memory.ts'
import type { RoutingCandidate, RoutingPolicy, RoutingRequest } from './policy.ts'
import { chooseLeast, execMsThere } from './rating.ts'
import { predictMs } from './work-model.ts'

export const complexity: RoutingPolicy = {
  choose({ state, candidates }, request) {
    const { routing } = state
    const shortDevices = Math.round(candidates.length * shareOfShort(routing))
    const rated = candidates.map((candidate, index) => {
      const { outstandingMs, loadMs } = candidate
      const runMs = runMsThere(routing, candidate, request)
      const delayMs = isLong(routing, runMs) && index < shortDevices ? runMs : 0
      const cost = outstandingMs + loadMs + runMs + delayMs
      return { candidate, cost, parts: [outstandingMs, loadMs, runMs, delayMs] }
    })
    return chooseLeast('size', request, rated)
  },
}

/** Predictions are of a usual device; on this one it takes longer as its speed says. */
function runMsThere(routing: RoutingMemory, candidate: RoutingCandidate, { version, work }: RoutingRequest): Millis {
  const usualMs = predictMs(routing.workModels.get(version.spec.versionId), work)
  return usualMs === null ? execMsThere(candidate) : usualMs / Math.max(0.01, candidate.speed)
}

export function isLong({ shortMsMax }: RoutingMemory, ms: Millis): boolean {
  return shortMsMax !== null && ms > shortMsMax
}

/** Nothing learnt: one half. */
function shareOfShort({ shortMs, longMs }: RoutingMemory): number {
  return shortMs + longMs > 0 ? shortMs / (shortMs + longMs) : 0.5
}
