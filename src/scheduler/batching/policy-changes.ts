/** When a worker is told other limits: when they have become others by enough to matter. */
import type { NodeLimit } from '../commands.ts'
import type { DecisionReason } from '../explain/decisions.ts'
import type { Millis } from '../ids.ts'
import { type Device, devicesInOrder, type LiveResidency } from '../state.ts'
import { decided, setAlarm, type Turn } from '../turn.ts'
import { sendPolicy } from '../workers/worker-words.ts'
import { endOfPeak, endPeakIfOver, noteInteractive } from './load-of-device.ts'
import { stepLimitsOf } from './step-policy.ts'

/** Changes of times below this share are not worth a message. */
const grain = 0.2
const holdGrainMs = 1

export function refreshPolicy(turn: Turn, residency: LiveResidency): void {
  if (residency.components.size === 0 || residency.state === 'evicting') return
  const before = residency.told.limits
  const { limits } = stepLimitsOf(turn.state, residency, turn.now)
  const changed = limits.filter((limit) =>
    differs(
      limit,
      before.find((told) => isSame(told, limit)),
      residency.version.spec.batchLimit,
    ),
  )
  if (changed.length === 0) return
  for (const limit of changed)
    announce(
      turn,
      residency,
      limit,
      before.find((told) => isSame(told, limit)),
    )
  sendPolicy(turn, residency)
  turn.touched.add(residency.version)
}

/** An interactive task comes to the device. */
export function noteArrival(turn: Turn, device: Device): void {
  const { batching } = turn.state.settings
  if (!batching.isLearnt || !noteInteractive(device, turn.now, batching)) return
  turn.state.peaks.add(device)
  for (const residency of device.residencies) refreshPolicy(turn, residency)
  awaitEndOfPeak(turn, endOfPeak(device, batching))
}

/** An alarm has rung: peaks may be over. A peak that goes on ends later than it was thought. */
export function endPeaks(turn: Turn): void {
  const { state, now } = turn
  const { peaks, settings } = state
  if (state.peaksEndAt === null || now < state.peaksEndAt) return
  let endAt = Number.POSITIVE_INFINITY
  const over: Device[] = []
  for (const device of peaks) {
    if (endPeakIfOver(device, now, settings.batching)) over.push(device)
    else endAt = Math.min(endAt, endOfPeak(device, settings.batching))
  }
  state.peaksEndAt = null
  if (over.length < peaks.size) awaitEndOfPeak(turn, endAt)
  for (const device of devicesInOrder(over)) {
    peaks.delete(device)
    for (const residency of device.residencies) refreshPolicy(turn, residency)
  }
}

function awaitEndOfPeak({ state }: Turn, at: Millis): void {
  if (state.peaksEndAt !== null && state.peaksEndAt <= at) return
  state.peaksEndAt = at
  setAlarm(state, at)
}

function announce(turn: Turn, { version, worker }: LiveResidency, limit: NodeLimit, before?: NodeLimit): void {
  const told = before?.limit ?? version.spec.batchLimit
  const toldOfBatch = before?.batchClassLimit ?? null
  const place = {
    versionId: version.spec.versionId,
    deviceId: worker.slot.device.spec.deviceId,
    workerId: worker.workerId,
  }
  const decide = (reason: DecisionReason, amount: number) =>
    decided(turn, { kind: 'SET_BATCH_LIMIT', reason, ...place, amount })
  if (limit.limit !== told) decide('rate_learnt', limit.limit)
  if (limit.batchClassLimit === toldOfBatch) return
  if (limit.batchClassLimit === null) decide('peak_over', limit.limit)
  else if (limit.batchClassLimit < limit.limit)
    decide(worker.slot.device.load.isPeak ? 'interactive_peak' : 'memory_pressure', limit.batchClassLimit)
  else decide('larger_step_tried', limit.batchClassLimit)
}

function differs(limit: NodeLimit, told: NodeLimit | undefined, usual: number): boolean {
  if (!told) return limit.limit < usual || limit.baseMs !== null || limit.batchClassLimit !== null
  if (limit.limit !== told.limit || limit.batchClassLimit !== told.batchClassLimit) return true
  const holdMs = limit.holdMs ?? 0
  if (Math.abs(holdMs - (told.holdMs ?? 0)) > Math.max(holdGrainMs, grain * (told.holdMs ?? 0))) return true
  return holdMs > 0 && (isFar(limit.baseMs, told.baseMs) || isFar(limit.stateMs, told.stateMs))
}

function isFar(ms: number | null, told: number | null): boolean {
  return ms !== null && (told === null || Math.abs(ms - told) > grain * told)
}

function isSame(a: NodeLimit, b: NodeLimit): boolean {
  return a.node === b.node && a.shape === b.shape
}
