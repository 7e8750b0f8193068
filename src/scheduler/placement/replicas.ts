/**
 * When a further copy of a version pays: the work that waits for the copies that are there would still wait when the new one is loaded, and what the new
 * one then saves is more than its load and what is lost with the models that go for it. A queue that drains before a load would end asks for none.
 */
import type { Millis } from '../ids.ts'
import { usualLoadMs, usualServiceMs } from '../learning/times.ts'
import { isLive, type SchedulerState, type Version } from '../state.ts'
import type { Completion } from './completion.ts'
import { outstandingMs } from './completion.ts'

/** Copies whose queues are looked at. */
const copiesMax = 8

/** It is there, and more waits for it than its workers are given ahead. */
export function isCrowded(state: SchedulerState, version: Version): boolean {
  const { lanes, residencies } = version
  if (lanes.interactive.size + lanes.batch.size === 0 || state.devices.size <= residencies.length) return false
  return residencies.some((residency) => isLive(residency) && residency.state === 'resident')
}

/** Asked at most this often for a version, unless a device has become free. */
export function isToBeWeighed(state: SchedulerState, version: Version, now: Millis): boolean {
  return version.weighedAt === null || now >= version.weighedAt + usualLoadMs(state, version) / 16
}

/** `completion`: of one job, on the device where the copy would be. */
export function isCopyWorthwhile(state: SchedulerState, version: Version, completion: Completion): boolean {
  const { lanes } = version
  const priorityClass = lanes.interactive.size > 0 ? 'interactive' : 'batch'
  const copies = version.residencies.filter(isLive)
  const backlog = lanes.interactive.size + (priorityClass === 'batch' ? lanes.batch.size : 0)
  let waitMs = Number.POSITIVE_INFINITY
  for (const residency of copies.slice(0, copiesMax))
    waitMs = Math.min(waitMs, outstandingMs(state, residency.worker.slot.device, priorityClass))
  const readyMs = completion.waitMs + completion.loadMs
  if (readyMs >= waitMs) return false
  // Those that still wait then; the new copy takes its share of them.
  const moved = (backlog * (1 - readyMs / waitMs)) / (copies.length + 1)
  const ownMs = Math.min(waitMs, (backlog * usualServiceMs(state, version)) / copies.length)
  const savedMs = moved * (waitMs - readyMs) * (1 - ownMs / (2 * waitMs))
  return savedMs > completion.loadMs + completion.evictedMs
}
