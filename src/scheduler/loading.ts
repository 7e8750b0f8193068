/**
 * A residency's life: loading -> resident -> evicting -> gone. One load at a time per device; what is resident works on meanwhile. An unload stops
 * admissions at once, takes back what has not started, and waits for the rest.
 */
import type { JobFailureCode, Residency } from './commands.ts'
import type { DecisionReason, Score } from './decisions.ts'
import type { TaskFailureCode } from './events.ts'
import type { ResidencyId, VersionId, WorkerId } from './ids.ts'
import { blend } from './learning.ts'
import { commit, release, reserve } from './ledger.ts'
import { failWaitingJobs, requeueLoadingJobs } from './load-failures.ts'
import { endAlone } from './membership.ts'
import { backlogOf, deviceOf, type LiveResidency, type SchedulerState, type Version, type Worker } from './state.ts'
import { decided, letterTo, setAlarm, type Turn } from './turn.ts'

/** What a version takes on a device: as measured where it has been resident before, else as planned. */
export function bytesOf(version: Version): { readonly weightsBytes: number; readonly workingBytes: number } {
  const { learnt, spec } = version
  return {
    weightsBytes: learnt.weightsBytes ?? spec.weightsBytes,
    workingBytes: learnt.workingBytes ?? spec.workingBytes,
  }
}

export function startLoad(
  turn: Turn,
  version: Version,
  worker: Worker,
  reason: DecisionReason,
  scores: readonly Score[],
): void {
  const { state, now } = turn
  const { device } = worker.slot
  const { versionId } = version.spec
  const residencyId = state.nextRuntimeId as ResidencyId
  state.nextRuntimeId += 1
  const owner = { workerId: worker.workerId, residencyId }
  const { weightsBytes, workingBytes } = bytesOf(version)
  const residency: LiveResidency = {
    residencyId,
    version,
    worker,
    state: 'loading',
    admitted: 0,
    interactive: 0,
    running: 0,
    weights: reserve(turn, device, 'weights', weightsBytes, owner),
    working: reserve(turn, device, 'kv_cache', workingBytes, owner),
    loadStartedAt: now,
    loadedAt: null,
    lastUsedAt: null,
    saturatedSince: null,
    ending: null,
    unloadSent: false,
  }
  state.residencies.set(residencyId, residency)
  version.residencies.push(residency)
  worker.residencies.set(versionId, residency)
  device.residencies.add(residency)
  device.loading = residency
  turn.touched.add(version)
  tell(turn, residency)
  turn.commands.push({ type: 'load', workerId: worker.workerId, versionId })
  decided(turn, { kind: 'LOAD', reason, versionId, deviceId: device.spec.deviceId, workerId: worker.workerId, scores })
}

export function takeLoaded(
  turn: Turn,
  event: { workerId: WorkerId; versionId: VersionId; loadMs: number; weightsBytes: number; privateBytes: number },
): void {
  const residency = loadingResidency(turn.state, event.workerId, event.versionId)
  if (!residency) return
  const { version } = residency
  // What was planned but not touched yet (a KV cache fills as it is used) stays charged.
  const workingBytes = Math.max(version.spec.workingBytes, event.privateBytes)
  commit(turn, residency.weights, event.weightsBytes)
  commit(turn, residency.working, event.privateBytes, workingBytes)
  version.learnt.weightsBytes = event.weightsBytes
  version.learnt.workingBytes = workingBytes
  version.learnt.loadMs = blend(version.learnt.loadMs, event.loadMs, turn.state.settings.learningRate)
  version.loadFailures = 0
  version.notBefore = 0
  version.loadingJobs.clear()
  residency.state = 'resident'
  residency.loadedAt = turn.now
  endLoad(turn, residency)
  tell(turn, residency)
  sendPolicy(turn, residency)
  if (residency.ending) unload(turn, residency, residency.ending, 'asked_for')
}

export function takeLoadFailure(
  turn: Turn,
  event: { workerId: WorkerId; versionId: VersionId; code: TaskFailureCode; retryable: boolean },
): void {
  const residency = loadingResidency(turn.state, event.workerId, event.versionId)
  if (!residency) return
  const { version } = residency
  endResidency(turn, residency, 'load_failed')
  requeueLoadingJobs(turn, version, 'load_failed', null)
  giveUpOrWait(turn, version, event.code === 'out_of_memory' ? 'OUT_OF_MEMORY' : 'ENGINE_ERROR', event.retryable)
}

/** After a failed load: another try after a while, or the end of the jobs that wait. */
export function giveUpOrWait(turn: Turn, version: Version, code: JobFailureCode, retryable: boolean): void {
  const { loadAttemptLimit, loadBackoffMs } = turn.state.settings
  version.loadFailures += 1
  version.notBefore = turn.now + (loadBackoffMs[version.loadFailures - 1] ?? loadBackoffMs.at(-1) ?? 0)
  setAlarm(turn.state, version.notBefore)
  if (!retryable || version.loadFailures >= loadAttemptLimit) failWaitingJobs(turn, version, code, retryable)
}

/** Lets what runs end, then unloads. */
export function unload(
  turn: Turn,
  residency: LiveResidency,
  ending: 'unloaded' | 'evicted',
  reason: DecisionReason,
): void {
  residency.ending ??= ending
  if (residency.state !== 'resident') return
  const { version, worker } = residency
  const { versionId } = version.spec
  residency.state = 'evicting'
  if (worker.alone?.version === version && worker.alone.state === 'suspect') endAlone(turn, worker)
  for (const task of worker.tasks)
    if (task.version === version && task.state === 'admitted') letterTo(turn, worker).withdrawals.push(task.taskId)
  turn.touched.add(version)
  tell(turn, residency)
  decided(turn, {
    kind: 'EVICT',
    reason,
    versionId,
    deviceId: deviceOf(residency).spec.deviceId,
    workerId: worker.workerId,
  })
  unloadIfIdle(turn, residency)
}

export function unloadIfIdle(turn: Turn, residency: LiveResidency): void {
  if (residency.state !== 'evicting' || residency.unloadSent || residency.admitted > 0) return
  residency.unloadSent = true
  turn.commands.push({
    type: 'unload',
    workerId: residency.worker.workerId,
    versionId: residency.version.spec.versionId,
  })
}

export function takeUnloaded(turn: Turn, workerId: WorkerId, versionId: VersionId): void {
  const residency = turn.state.workers.get(workerId)?.residencies.get(versionId)
  if (residency?.unloadSent) endResidency(turn, residency, residency.ending ?? 'unloaded')
}

/** Takes it off the books. Its tasks must have left. */
export function endResidency(
  turn: Turn,
  residency: LiveResidency,
  reason: 'unloaded' | 'evicted' | 'worker_lost' | 'load_failed',
): void {
  const { residencyId, version, worker } = residency
  const device = deviceOf(residency)
  if (residency.admitted > 0) throw new Error(`Residency ${residencyId} still has ${residency.admitted} tasks.`)
  if (device.loading === residency) endLoad(turn, residency)
  release(turn, residency.weights)
  release(turn, residency.working)
  version.residencies.splice(version.residencies.indexOf(residency), 1)
  worker.residencies.delete(version.spec.versionId)
  device.residencies.delete(residency)
  turn.state.residencies.delete(residencyId)
  turn.touched.add(version)
  turn.commands.push({
    type: 'residencyEnded',
    residencyId,
    versionId: version.spec.versionId,
    deviceId: device.spec.deviceId,
    reason,
  })
}

/** Nothing uses it and nothing waits for it. */
export function isIdle(residency: LiveResidency): boolean {
  const { version, worker, state, admitted } = residency
  return state === 'resident' && admitted === 0 && backlogOf(version) === 0 && worker.alone?.version !== version
}

export function sendPolicy(turn: Turn, residency: LiveResidency): void {
  const { versionId, batchLimit, holdMs, interruptAfterMs } = residency.version.spec
  turn.commands.push({
    type: 'setPolicy',
    workerId: residency.worker.workerId,
    versionId,
    batchLimit,
    holdMs,
    interactiveFirst: true,
    interruptAfterMs,
  })
}

function endLoad(turn: Turn, residency: LiveResidency): void {
  deviceOf(residency).loading = null
  turn.touched.add(residency.version)
  turn.placementDue = true
  turn.staffingDue = true
}

export function loadingResidency(
  state: SchedulerState,
  workerId: WorkerId,
  versionId: VersionId,
): LiveResidency | null {
  const residency = state.workers.get(workerId)?.residencies.get(versionId)
  return residency?.state === 'loading' ? residency : null
}

function tell(turn: Turn, live: LiveResidency): void {
  const { residencyId, version, worker, state, weights, working, loadedAt, lastUsedAt } = live
  const sizeBytes = weights.sizeBytes + working.sizeBytes
  const residency: Residency = {
    residencyId,
    versionId: version.spec.versionId,
    deviceId: worker.slot.device.spec.deviceId,
    workerId: worker.workerId,
    state,
    sizeBytes,
    loadedAt,
    lastUsedAt,
  }
  turn.commands.push({ type: 'residencyChanged', residency })
}
