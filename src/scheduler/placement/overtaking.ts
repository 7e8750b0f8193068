/**
 * How many jobs have begun before those whose model is not there. Serving what is resident first saves loads, and is fair only up to a limit: after so many
 * the model is loaded next, and models with work make room for it. Interactive work that goes before batch work is not counted: that has limits of its own.
 */
import { type Job, priorityClasses, type SchedulerState, type Version } from '../state.ts'
import type { Turn } from '../turn.ts'

/** Jobs that have begun, by class. */
export interface Served {
  interactive: number
  batch: number
}

/** Where more devices serve, as many go before it in less time: so many for each of them, if that is more than the limit. */
const perDevice = 8

function overtakingLimitOf({ settings, devices }: SchedulerState): number {
  return Math.max(settings.overtakingLimit, perDevice * devices.size)
}

/** Jobs wait for it, and it is nowhere, from now on. */
export function beginOvertaking(state: SchedulerState, version: Version): void {
  if (version.servedAtWant) return
  version.servedAtWant = { ...state.served }
  state.overtakenAt = Math.min(state.overtakenAt ?? Number.POSITIVE_INFINITY, begun(state) + overtakingLimitOf(state))
}

/** Loads go by whoever waits longest from now on, for this version. */
export function isOvertaken(state: SchedulerState, version: Version): boolean {
  return version.servedAtWant !== null && overtakers(state, version) >= overtakingLimitOf(state)
}

/** A job begins. */
export function noteBegun(turn: Turn, job: Job): void {
  const { state } = turn
  state.served[job.class] += 1
  if (state.overtakenAt === null || begun(state) < state.overtakenAt) return
  let leastLeft = Number.POSITIVE_INFINITY
  for (const version of state.wanted) {
    if (!version.servedAtWant) continue
    const left = overtakingLimitOf(state) - overtakers(state, version)
    if (left > 0) leastLeft = Math.min(leastLeft, left)
    else turn.touched.add(version)
  }
  state.overtakenAt = leastLeft === Number.POSITIVE_INFINITY ? null : begun(state) + leastLeft
}

function overtakers({ served }: SchedulerState, { servedAtWant, lanes, suspects }: Version): number {
  if (!servedAtWant) return 0
  const batch = served.batch - servedAtWant.batch
  return lanes.interactive.size + suspects.size === 0 ? batch : batch + served.interactive - servedAtWant.interactive
}

function begun({ served }: SchedulerState): number {
  return priorityClasses.reduce((sum, priorityClass) => sum + served[priorityClass], 0)
}
