/**
 * When a job of a version would be done on a device: when the work before it is done and its model is there, whichever takes longer (a load goes on beside
 * running work), then its own time, and what is lost with the models that would have to go. The least of these times decides where a version is loaded.
 */

import { rateOf } from '../demand/demand.ts'
import type { PriorityClass } from '../events.ts'
import { type Need, victimsFor } from '../eviction/victims.ts'
import type { Score } from '../explain/decisions.ts'
import { shareOf } from '../failover/circuit.ts'
import type { Millis } from '../ids.ts'
import { execMsOf, loadMsOf, usualLoadMs, usualServiceMs } from '../learning/times.ts'
import { availableBytes } from '../memory/ledger.ts'
import { type Device, isLive, type LiveResidency, type SchedulerState, type Version } from '../state.ts'

/** Of a place that is only tried with one task at a time. */
const leastTrust = 0.25

export interface Completion {
  readonly waitMs: number
  readonly loadMs: number
  readonly execMs: number
  readonly evictedMs: number
  readonly totalMs: number
}

/** Of a version that is not on the device. Null = it would not fit, whatever went that is not in use. */
export function completionAt(
  state: SchedulerState,
  version: Version,
  device: Device,
  need: Need,
  startMs: number,
  now: Millis,
): Completion | null {
  const victims = victimsFor(state, device, need, now)
  if (!victims) return null
  let evictedMs = 0
  for (const victim of victims) if ('residency' in victim) evictedMs += lossMs(state, victim.residency, now)
  const loadMs = loadMsOf(state, version, device) + Math.max(startMs, channelMs(state, device, now))
  const waitMs = Math.max(0, outstandingMs(state, device, need.class) - loadMs)
  const execMs = execMsOf(state, version, device) / trustIn(device, version)
  return { waitMs, loadMs, execMs, evictedMs, totalMs: waitMs + loadMs + execMs + evictedMs }
}

/** Where workers died again and again of late, less is done in the same time. */
function trustIn({ slots }: Device, { spec }: Version): number {
  const slot = slots.get(spec.engine)
  return slot ? Math.max(leastTrust, shareOf(slot)) : 1
}

export function scoreOf(device: Device, version: Version, completion: Completion | null): Score {
  const { waitMs, loadMs, execMs, evictedMs } = completion ?? { waitMs: 0, loadMs: 0, execMs: 0, evictedMs: 0 }
  return {
    deviceId: device.spec.deviceId,
    versionId: version.spec.versionId,
    parts: [Math.round(waitMs), Math.round(loadMs), Math.round(execMs), Math.round(evictedMs)],
  }
}

/** Until the device has done what it has, and its share of what waits for its models; for interactive work batch work does not count. */
export function outstandingMs(state: SchedulerState, device: Device, priorityClass: PriorityClass): number {
  let sumMs = 0
  for (const residency of device.residencies) sumMs += residencyWorkMs(state, residency, priorityClass)
  return sumMs
}

function residencyWorkMs(
  state: SchedulerState,
  { version, interactive, admitted, lanes }: LiveResidency,
  priorityClass: PriorityClass,
): number {
  const places = Math.max(1, version.residencies.length)
  let tasks = interactive + lanes.interactive.size + version.lanes.interactive.size / places
  if (priorityClass === 'batch') tasks += admitted - interactive + lanes.batch.size + version.lanes.batch.size / places
  return tasks === 0 ? 0 : tasks * usualServiceMs(state, version)
}

/** Of making room for a job that will come to its turn later: what leaves then is like what is there now, as much of it as the model needs. */
export function roomLossMs(
  state: SchedulerState,
  device: Device,
  { weightsBytes }: { readonly weightsBytes: number },
  now: Millis,
): number {
  const missing = weightsBytes - Math.max(0, availableBytes(device))
  if (missing <= 0) return 0
  let heldBytes = 0
  let heldMs = 0
  for (const residency of device.residencies) {
    heldBytes += residency.weights.sizeBytes
    heldMs += lossMs(state, residency, now)
  }
  return heldBytes === 0 ? 0 : heldMs * Math.min(1, missing / heldBytes)
}

/** Requests that will come for it within the horizon have to wait for its load, unless another copy serves them. */
function lossMs(state: SchedulerState, { version }: LiveResidency, now: Millis): number {
  const copies = version.residencies.reduce((count, residency) => count + Number(isLive(residency)), 0)
  const expected = rateOf(version.learnt.demand, now) * state.settings.evictionHorizonMs
  return (expected * usualLoadMs(state, version)) / Math.max(1, copies)
}

/** Until the load that is under way there has ended; one that takes longer than ever before is about to. */
export function channelMs(state: SchedulerState, device: Device, now: Millis): number {
  const { loading } = device
  if (!loading) return 0
  return Math.max(0, loading.loadStartedAt + loadMsOf(state, loading.version, device) - now)
}
