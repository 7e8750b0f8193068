/**
 * A residency's life: loading -> resident -> evicting -> gone. One load at a time per device; what is resident works on meanwhile. An unload stops
 * admissions at once, takes back what has not started, lets go of what is paused, and waits for the rest.
 */
import { endAlone } from '../admission/alone.ts'
import { goOn } from '../admission/next-tasks.ts'
import { createLanes } from '../blank.ts'
import type { DecisionReason, Score } from '../explain/decisions.ts'
import { loadMsMaxOf } from '../failover/patience.ts'
import type { ResidencyId, VersionId, WorkerId } from '../ids.ts'
import { uproot } from '../jobs/homes.ts'
import { learnLoad } from '../learning/learning.ts'
import { deviceOf, isLive, type LiveResidency, type SchedulerState, type Version, type Worker } from '../state.ts'
import { decided, letterTo, type Turn } from '../turn.ts'
import { sendPolicy, tellResidency } from '../workers/worker-words.ts'
import { bytesOf } from './footprint.ts'
import { commit, release, reserve } from './ledger.ts'

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
    parked: 0,
    jobs: new Set(),
    lanes: createLanes(),
    components: new Set(),
    told: { batchLimit: version.spec.batchLimit, holdMs: version.spec.holdMs, limits: [] },
    weights: reserve(turn, device, 'weights', weightsBytes, owner),
    working: reserve(turn, device, 'kv_cache', workingBytes, owner),
    loadStartedAt: now,
    loadedAt: null,
    lastUsedAt: null,
    interactiveAt: null,
    saturatedSince: null,
    ending: null,
    unloadSent: false,
    isRetiring: false,
  }
  state.residencies.set(residencyId, residency)
  version.residencies.push(residency)
  worker.residencies.set(versionId, residency)
  device.residencies.add(residency)
  device.loading = residency
  state.fleet.note(device)
  turn.touched.add(version)
  tellResidency(turn, residency)
  const loadMsMax = loadMsMaxOf(state, version, worker.slot)
  turn.commands.push({ type: 'load', workerId: worker.workerId, versionId, loadMsMax })
  decided(turn, {
    kind: reason === 'hinted' ? 'PREFETCH' : 'LOAD',
    reason,
    versionId,
    deviceId: device.spec.deviceId,
    workerId: worker.workerId,
    scheme: 'ect',
    scores,
  })
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
  learnLoad(turn.state, residency, event.loadMs, event.weightsBytes)
  version.loadFailures = 0
  version.notBefore = 0
  version.loadingJobs.clear()
  // Who was given a task before the model was whole has been told already.
  if (residency.components.size === 0) sendPolicy(turn, residency)
  version.spec.componentBytes.forEach((_, component) => residency.components.add(component))
  residency.state = 'resident'
  residency.loadedAt = turn.now
  endLoad(turn, residency)
  tellResidency(turn, residency)
  if (residency.ending) unload(turn, residency, 'unloaded', 'asked_for')
  else endMove(turn, residency)
}

/** Tasks that need no other component may run there from now on. */
export function takeComponent(
  turn: Turn,
  event: { readonly workerId: WorkerId; readonly versionId: VersionId; readonly component: number },
): void {
  const residency = loadingResidency(turn.state, event.workerId, event.versionId)
  if (residency?.version.spec.componentBytes[event.component] === undefined) return
  if (residency.components.size === 0) sendPolicy(turn, residency)
  residency.components.add(event.component)
  turn.touched.add(residency.version)
  tellResidency(turn, residency)
}

/** Who gains by it, and how those scored that could have gone instead. */
export interface UnloadDetails {
  readonly forVersionId?: VersionId
  readonly scores?: readonly Score[]
}

/** Lets what runs end, then unloads. */
export function unload(
  turn: Turn,
  residency: LiveResidency,
  ending: 'unloaded' | 'evicted',
  reason: DecisionReason,
  details: UnloadDetails = {},
): void {
  residency.ending ??= ending
  const uprooted = uproot(turn, residency)
  if (residency.state === 'resident') beginUnload(turn, residency, reason, details)
  for (const job of uprooted) goOn(turn, job)
  unloadIfIdle(turn, residency)
}

function beginUnload(turn: Turn, residency: LiveResidency, reason: DecisionReason, details: UnloadDetails): void {
  const { version, worker } = residency
  const { versionId } = version.spec
  residency.state = 'evicting'
  if (worker.alone?.version === version && worker.alone.state === 'suspect') endAlone(turn, worker)
  for (const task of worker.tasks)
    if (task.version === version && task.state === 'admitted') letterTo(turn, worker).withdrawals.push(task.taskId)
  turn.touched.add(version)
  tellResidency(turn, residency)
  decided(turn, {
    kind: 'EVICT',
    reason,
    scheme: 'value',
    ...details,
    versionId,
    deviceId: deviceOf(residency).spec.deviceId,
    workerId: worker.workerId,
  })
}

/** The worker lets go of the model once it has no task of it any more; a load that failed has left it nothing to let go of. */
export function unloadIfIdle(turn: Turn, residency: LiveResidency): void {
  if (residency.state !== 'evicting' || residency.unloadSent || residency.admitted + residency.parked > 0) return
  if (residency.ending === 'load_failed') return endResidency(turn, residency, 'load_failed')
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
  const left = residency.admitted + residency.parked + residency.jobs.size
  if (left > 0) throw new Error(`Residency ${residencyId} ends, and ${left} tasks and jobs are still there.`)
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

export function endLoad(turn: Turn, residency: LiveResidency): void {
  deviceOf(residency).loading = null
  turn.state.fleet.note(deviceOf(residency))
  turn.touched.add(residency.version)
  turn.freed.add(deviceOf(residency))
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

/** A copy that a model moves to serves: its former place is given up. */
function endMove(turn: Turn, residency: LiveResidency): void {
  const { version } = residency
  const { migration } = version
  if (migration?.to !== deviceOf(residency)) return
  version.migration = null
  for (const former of version.residencies)
    if (isLive(former) && deviceOf(former) === migration.from) unload(turn, former, 'evicted', 'faster_elsewhere')
}
