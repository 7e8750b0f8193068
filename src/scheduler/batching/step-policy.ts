/**
 * How many states of each node share a step, and how long a step waits for more, on one residency: what its worker is told. The manifest's limit is a
 * bound of safety and is never exceeded; below it experience decides: what nearly reaches the best rate, and what has fitted into memory.
 */

import type { NodeLimit } from '../commands.ts'
import { rateOf } from '../demand/demand.ts'
import type { Millis } from '../ids.ts'
import { availableBytes } from '../memory/ledger.ts'
import { deviceOf, type LiveResidency, type SchedulerState } from '../state.ts'
import { isKnown, stepLine } from './curve.ts'
import { holdMsOf } from './hold.ts'
import { throughputLimit } from './limit.ts'
import { busyShareOf, isStrained } from './load-of-device.ts'
import { type NodeSteps, stepsOf } from './node-steps.ts'

export interface StepLimits {
  readonly batchLimit: number
  readonly holdMs: number
  readonly limits: readonly NodeLimit[]
}

export function stepLimitsOf(state: SchedulerState, residency: LiveResidency, now: Millis): StepLimits {
  const { spec } = residency.version
  const { batchLimit, holdMs } = spec
  if (!state.settings.batching.isLearnt) return { batchLimit, holdMs, limits: [] }
  const { deviceId } = deviceOf(residency).spec
  const limits = stepsOf(state, spec.versionId, deviceId).map((steps) => nodeLimit(state, residency, steps, now))
  return { batchLimit, holdMs, limits }
}

/** The most states that a step there may take; more need not be there ahead of need. */
export function batchLimitAt({ version, told }: LiveResidency): number {
  if (told.limits.length === 0) return version.spec.batchLimit
  let most = 1
  for (const { limit, batchClassLimit } of told.limits) most = Math.max(most, limit, batchClassLimit ?? 0)
  return Math.min(most, version.spec.batchLimit)
}

function nodeLimit(state: SchedulerState, residency: LiveResidency, steps: NodeSteps, now: Millis): NodeLimit {
  const { batching } = state.settings
  const { version } = residency
  const device = deviceOf(residency)
  const { node, shape, curve } = steps
  const most = Math.min(version.spec.batchLimit, memoryLimit(steps, residency))
  const told = residency.told.limits.find((each) => each.node === node && each.shape === shape)
  const limit = throughputLimit(curve, most, batching.shareOfBest, told?.limit)
  const learntHoldMs = holdMsOf(curve, rateOf(version.learnt.demand, now), busyShareOf(device, now), batching)
  const line = isKnown(curve) || batching.delayCost === 0 ? stepLine(curve) : null
  return {
    node,
    shape,
    limit,
    batchClassLimit: batchClassLimit(residency, steps, limit),
    holdMs: learntHoldMs === null ? null : Math.max(learntHoldMs, version.spec.holdMs),
    baseMs: line?.baseMs ?? null,
    stateMs: line?.stateMs ?? null,
  }
}

function batchClassLimit(residency: LiveResidency, { isProbing }: NodeSteps, limit: number): number | null {
  if (isStrained(deviceOf(residency))) return limit > 1 ? Math.floor(limit / 2) : null
  return isProbing && limit < residency.version.spec.batchLimit ? limit + 1 : null
}

/** What was too large once, and what would be with the memory that is left; a single state is always tried. */
function memoryLimit({ memoryLimit: known, bytesPerState }: NodeSteps, residency: LiveResidency): number {
  const roomBytes = Math.max(0, availableBytes(deviceOf(residency))) + residency.working.sizeBytes
  const fitting = bytesPerState === null || bytesPerState === 0 ? Infinity : Math.floor(roomBytes / bytesPerState)
  return Math.max(1, Math.min(known ?? Number.POSITIVE_INFINITY, fitting))
}
