/**
 * Which worker processes exist. One per device and engine: started when a load first needs it, and for each engine of a registered version at once,
 * somewhere. A spare per engine is kept started without a model; it takes over where a worker dies, and another is started. Workers that die one
 * after the other without having done anything are started ever more slowly.
 */

import { createSlot } from '../blank.ts'
import type { WorkerExitCause } from '../events.ts'
import type { DecisionReason } from '../explain/decisions.ts'
import { isOpenCircuit, noteDeath } from '../failover/circuit.ts'
import type { JobId, VersionId, WorkerId } from '../ids.ts'
import { isIdle } from '../memory/footprint.ts'
import { availableBytes, commit, release, reserve } from '../memory/ledger.ts'
import { areFew } from '../placement/candidates.ts'
import { backlogOf, type Device, isLive, type SchedulerState, type Slot, type Version, type Worker } from '../state.ts'
import { decided, forgetWorker, setAlarm, type Turn } from '../turn.ts'
import { noteMemory } from './growth.ts'

/** Jobs whose tasks have started there. */
export function runningJobs(state: SchedulerState, workerId: WorkerId): JobId[] {
  const jobs = new Set<JobId>()
  for (const { startedAt, pausedState, job, state: life } of state.workers.get(workerId)?.tasks ?? [])
    if (startedAt !== null && !pausedState && life !== 'abandoned') jobs.add(job.jobId)
  return [...jobs]
}

/** Private memory of a worker of the engine before it has loaded anything. */
export function engineBytes(state: SchedulerState, engine: string): number {
  return state.engineBytes.get(engine) ?? state.settings.runtimeBytes
}

/** The worker of the engine on the device; a spare takes the place, or one is started, if there is none. Null if that cannot be now. */
export function staff(turn: Turn, device: Device, engine: string): Worker | null {
  const slot = device.slots.get(engine) ?? createSlot(device, engine)
  if (slot.primary) return slot.primary
  if (device.isLost || isOpenCircuit(slot, turn.now)) return null
  return promoteSpare(turn, slot) ?? spawn(turn, slot, false)
}

/** Starts workers ahead of need: one for every engine of a registered version, then the spares. Loads that wait come first. */
export function staffEngines(turn: Turn): void {
  const { state } = turn
  turn.staffingDue = false
  if (state.draining || !isStaffingTime(turn) || isMemoryAwaited(state)) return
  const engines = new Set([...state.versions.values()].map(({ spec }) => spec.engine))
  for (const engine of engines) {
    const slots = [...state.devices.values()].flatMap((device) => device.slots.get(engine) ?? [])
    if (!slots.some(({ primary }) => primary)) staffSomewhere(turn, engine)
    else keepSpares(turn, slots)
  }
}

/** It looks at every device: where there are many, not with every event. What a load needs is started with it anyway. */
function isStaffingTime({ state, now }: Turn): boolean {
  if (areFew(state)) return true
  const dueAt = (state.staffedAt ?? Number.NEGATIVE_INFINITY) + state.settings.staffingIntervalMs
  if (now < dueAt) {
    setAlarm(state, dueAt)
    return false
  }
  state.staffedAt = now
  return true
}

/** Tasks wait for models to be loaded, or others make room for these: what memory there is goes to that. */
export function isMemoryAwaited({ wanted }: SchedulerState): boolean {
  for (const version of wanted) if (isAwaited(version)) return true
  return false
}

function isAwaited(version: Version): boolean {
  if (version.claimed) return true
  for (const { lanes } of version.bound.values()) if (lanes.interactive.size + lanes.batch.size > 0) return true
  return backlogOf(version) > 0 && !version.residencies.some(isLive)
}

export function takeReady(turn: Turn, workerId: WorkerId, privateBytes: number): void {
  const worker = turn.state.workers.get(workerId)
  if (worker?.state !== 'starting') return
  worker.state = 'ready'
  turn.state.engineBytes.set(worker.slot.engine, privateBytes)
  turn.state.recovering = false
  commit(turn, worker.runtime, privateBytes)
  turn.freed.add(worker.slot.device)
  turn.staffingDue = true
}

/** What grows beyond the plans of its models is charged to the process: arenas belong to no single model. */
export function takeMeasured(turn: Turn, workerId: WorkerId, privateBytes: number): void {
  const { state, now } = turn
  const worker = state.workers.get(workerId)
  if (worker) noteMemory(worker.memory, now, privateBytes)
  if (worker?.runtime.state !== 'committed') return
  let plannedBytes = chargedBytes(state, workerId)
  for (const { working } of worker.residencies.values()) plannedBytes += working.sizeBytes
  const measuredBytes = Math.max(0, privateBytes - plannedBytes)
  const sizeBytes = Math.max(engineBytes(state, worker.slot.engine), measuredBytes)
  if (Math.abs(sizeBytes - worker.runtime.sizeBytes) < state.settings.measureGrainBytes) return
  commit(turn, worker.runtime, measuredBytes, sizeBytes)
  if (state.wanted.size > 0) turn.freed.add(worker.slot.device)
}

/** What jobs have there for themselves. */
function chargedBytes({ allocations }: SchedulerState, workerId: WorkerId): number {
  let bytes = 0
  for (const { jobId, workerId: owner, sizeBytes } of allocations.values())
    if (jobId !== null && owner === workerId) bytes += sizeBytes
  return bytes
}

/** It has no model that is in use, awaited or on its way. One that starts was started for somebody. */
export function isIdleWorker({ state, residencies, alone }: Worker): boolean {
  return state === 'ready' && alone === null && [...residencies.values()].every(isIdle)
}

/** `forVersionId`: whose load takes its memory. */
export function stopWorker(
  turn: Turn,
  worker: Worker,
  reason: DecisionReason,
  forVersionId: VersionId | null = null,
): void {
  const { workerId, slot } = worker
  worker.state = 'stopping'
  turn.commands.push({ type: 'stopWorker', workerId })
  decided(turn, { kind: 'EVICT', reason, deviceId: slot.device.spec.deviceId, workerId, forVersionId })
}

/** It is gone, with everything that it held already taken off the books. */
export function removeWorker(turn: Turn, worker: Worker, cause: WorkerExitCause): void {
  const { slot } = worker
  const wasPrimary = slot.primary === worker
  forgetWorker(turn, worker)
  turn.leasesDue.add(slot.device)
  turn.state.workers.delete(worker.workerId)
  if (wasPrimary) slot.primary = null
  else if (slot.retiring === worker) slot.retiring = null
  else slot.spares.splice(slot.spares.indexOf(worker), 1)
  release(turn, worker.runtime)
  if (worker.state !== 'stopping' && cause !== 'requested') noteDeath(turn, slot)
  if (wasPrimary) slot.restartCount += 1
}

/** False while that cannot be. */
export function spawnSpare(turn: Turn, slot: Slot): boolean {
  return spawn(turn, slot, true) !== null
}

function promoteSpare(turn: Turn, slot: Slot): Worker | null {
  const spare =
    slot.spares.find(({ state }) => state === 'ready') ?? slot.spares.find(({ state }) => state === 'starting')
  if (!spare || turn.state.draining) return null
  slot.spares.splice(slot.spares.indexOf(spare), 1)
  slot.primary = spare
  spare.restartCount = slot.restartCount
  decided(turn, {
    kind: 'RESTART_WORKER',
    reason: 'spare_took_over',
    deviceId: slot.device.spec.deviceId,
    workerId: spare.workerId,
  })
  turn.staffingDue = true
  return spare
}

/** Null while restarts are held back, or there is no memory for another process. */
function spawn(turn: Turn, slot: Slot, spare: boolean): Worker | null {
  const { state, now } = turn
  const { device, engine } = slot
  const bytes = engineBytes(state, engine)
  if (now < slot.notBefore) {
    setAlarm(state, slot.notBefore)
    return null
  }
  if (device.isLost || bytes > availableBytes(device)) return null
  if (spare && device.pressure.level !== 'normal') return null
  const workerId = state.nextRuntimeId as WorkerId
  state.nextRuntimeId += 1
  const runtime = reserve(turn, device, 'runtime', bytes, { workerId, residencyId: null })
  const worker: Worker = {
    workerId,
    slot,
    state: 'starting',
    restartCount: slot.restartCount,
    tasks: new Set(),
    residencies: new Map(),
    alone: null,
    isSuspected: false,
    lease: 'held',
    served: 0,
    memory: [],
    runtime,
  }
  state.workers.set(workerId, worker)
  if (spare) slot.spares.push(worker)
  else slot.primary = worker
  const { deviceId } = device.spec
  turn.commands.push({ type: 'spawnWorker', workerId, deviceId, engine, spare })
  if (spare) decided(turn, { kind: 'PLACE', reason: 'spare_wanted', deviceId, workerId })
  else if (slot.restartCount > 0) decided(turn, { kind: 'RESTART_WORKER', reason: 'started_again', deviceId, workerId })
  else decided(turn, { kind: 'PLACE', reason: 'engine_needed', deviceId, workerId })
  return worker
}

/** On the device with the most memory to spare. */
function staffSomewhere(turn: Turn, engine: string): void {
  const byRoom = [...turn.state.devices.values()].sort((a, b) => availableBytes(b) - availableBytes(a))
  for (const device of byRoom) if (staff(turn, device, engine)) return
}

/** Spares stand where most models of the engine are, once those are served. */
function keepSpares(turn: Turn, slots: readonly Slot[]): void {
  const { state } = turn
  const spares = slots.reduce(
    (count, slot) => count + slot.spares.filter(({ state: life }) => life !== 'stopping').length,
    0,
  )
  if (spares >= state.settings.sparesPerEngine) return
  const served = slots.filter(({ primary, device }) => primary?.state === 'ready' && device.loading === null)
  const [busiest] = served.sort((a, b) => Number(b.primary?.residencies.size) - Number(a.primary?.residencies.size))
  if (!busiest) return
  if (spawn(turn, busiest, true)) turn.staffingDue = true
}
