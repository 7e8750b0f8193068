/** A state from its snapshot. Whatever can be counted or derived is counted and derived anew. */
import { copySteps } from '../batching/node-steps.ts'
import { createDevice, createLanes, createSlot, createVersion } from '../blank.ts'
import { joinPool } from '../eviction/pool.ts'
import { chooseReserved } from '../fairness/reserved.ts'
import { copyLearnt } from '../learning/learning.ts'
import { keepLine } from '../placement/lines.ts'
import type { SchedulerSettings } from '../settings.ts'
import {
  createState,
  deviceOf,
  type LiveResidency,
  priorityClasses,
  type SchedulerState,
  type Worker,
} from '../state.ts'
import { isDue } from '../workers/recycling.ts'
import { anticipationIn, poolIn, type SessionSnapshot } from './demand-rows.ts'
import { restoreFairness } from './fairness-rows.ts'
import { restorePreemption } from './preemption-rows.ts'
import { found, restoreHome, restoreJob, restorePlaces, restoreTasksOf } from './restore-jobs.ts'
import { routingIn } from './routing-rows.ts'
import { type Snapshot, snapshotFormat } from './snapshot.ts'
import type {
  AllocationSnapshot,
  DeviceSnapshot,
  ResidencySnapshot,
  VersionSnapshot,
  WorkerSnapshot,
} from './snapshot-rows.ts'

/** `settings`: those of a new process, if they are others. Throws on a snapshot of another format. */
export function restore(snapshot: Snapshot, settings: SchedulerSettings = snapshot.settings): SchedulerState {
  if (snapshot.format !== snapshotFormat) {
    throw new Error(
      `A scheduler snapshot of format ${snapshot.format} cannot be read; this is format ${snapshotFormat}.`,
    )
  }
  const state = createState(settings, snapshot.nextRuntimeId)
  restoreCounters(state, snapshot)
  for (const device of snapshot.devices) restoreDevice(state, device)
  chooseReserved(state)
  for (const version of snapshot.versions) restoreVersion(state, version)
  for (const allocation of snapshot.allocations) restoreAllocation(state, allocation)
  for (const worker of snapshot.workers) restoreWorker(state, worker)
  for (const device of snapshot.devices) fillSlots(state, device)
  for (const residency of snapshot.residencies) restoreResidency(state, residency)
  for (const job of snapshot.jobs) restoreJob(state, job)
  for (const worker of snapshot.workers) restoreTasksOf(state, worker)
  for (const residency of snapshot.residencies) restoreHome(state, residency)
  for (const job of state.jobs.values()) restorePlaces(state, job)
  restorePreemption(state, snapshot.preemption)
  for (const version of snapshot.versions) restoreLoadingJobs(state, version)
  for (const device of snapshot.devices) restoreHeldJobs(state, device)
  for (const versionId of snapshot.hinted) state.hinted.add(found(state.versions, versionId))
  for (const session of snapshot.sessions) restoreSession(state, session)
  for (const version of snapshot.versions) restoreUrgency(state, version)
  for (const device of state.devices.values()) state.fleet.add(device)
  return state
}

function restoreCounters(state: SchedulerState, snapshot: Snapshot): void {
  state.nextArrival = snapshot.nextArrival
  state.draining = snapshot.draining
  state.recovering = snapshot.recovering
  state.timerAt = snapshot.timerAt
  Object.assign(state.served, snapshot.served)
  state.overtakenAt = snapshot.overtakenAt
  state.leastSlowness = snapshot.leastSlowness
  state.migrateAt = snapshot.migrateAt
  state.movesLookedAt = snapshot.movesLookedAt
  for (const [deviceId, ratio] of snapshot.slowness) state.slowness.set(deviceId, ratio)
  state.loadMsPerByte = snapshot.loadMsPerByte
  state.staffedAt = snapshot.staffedAt
  state.peaksEndAt = snapshot.peaksEndAt
  state.random = snapshot.random
  routingIn(state.routing, snapshot.routing)
  state.alarms.push(...snapshot.alarms)
  state.decisions.continueFrom(snapshot.decisionCount)
  for (const [versionId, deviceId, all] of snapshot.nodeSteps) {
    const places = state.nodeSteps.get(versionId) ?? new Map()
    state.nodeSteps.set(versionId, places.set(deviceId, all.map(copySteps)))
  }
  state.anticipation = anticipationIn(snapshot.anticipation)
  Object.assign(state.hintCounts, snapshot.hintCounts)
  for (const pool of snapshot.pools) state.pools.set(pool.key, poolIn(pool))
  for (const each of priorityClasses) restoreFairness(state.fairness[each], snapshot.fairness[each])
  for (const [engine, bytes] of snapshot.engineBytes) state.engineBytes.set(engine, bytes)
  for (const [versionId, learnt] of snapshot.learnt) state.learnt.set(versionId, copyLearnt(learnt))
}

function restoreDevice(
  state: SchedulerState,
  { spec, externalBytes, migratedAt, isLost, leaseTurn, load, pressure, clock, slots }: DeviceSnapshot,
): void {
  const device = createDevice(spec)
  Object.assign(device.load, load)
  Object.assign(device.clock, clock)
  if (load.isPeak) state.peaks.add(device)
  Object.assign(device.pressure, pressure)
  if (pressure.level !== 'normal') state.pressed.add(device)
  device.externalBytes = externalBytes
  device.migratedAt = migratedAt
  device.isLost = isLost
  keepLine(state, device)
  device.leaseTurn = leaseTurn
  for (const { engine, primary: _primary, retiring: _retiring, spares: _spares, ...rest } of slots) {
    const slot = Object.assign(createSlot(device, engine), rest)
    if (slot.circuit !== 'closed') state.unsteady.add(slot)
  }
  joinPool(state, device)
  state.devices.set(spec.deviceId, device)
}

/** Those that have ended meanwhile are nobody's to resume. */
function restoreHeldJobs(state: SchedulerState, { spec, heldJobs }: DeviceSnapshot): void {
  for (const jobId of heldJobs) {
    const job = state.jobs.get(jobId)
    if (job) found(state.devices, spec.deviceId).heldJobs.add(job)
  }
}

function restoreVersion(state: SchedulerState, snapshot: VersionSnapshot): void {
  const { spec, standing, staleInARow, rewarm, loadFailures, notBefore, wantedSince, shortSince, isOwedRoom } = snapshot
  const wishes = {
    standing,
    staleInARow,
    requests: [...snapshot.requests],
    pins: [...snapshot.pins],
    hint: snapshot.hint,
    rewarm,
    loadFailures,
    notBefore,
    wantedSince,
    shortSince,
    isOwedRoom,
  }
  state.versions.set(spec.versionId, { ...createVersion(state, spec), ...wishes })
}

/** As it is on the lists of what is to be loaded. */
function restoreUrgency(
  state: SchedulerState,
  { spec, urgency, retryAt, weighedAt, servedAtWant, claimed, migration, migratedAt }: VersionSnapshot,
): void {
  const version = found(state.versions, spec.versionId)
  if (urgency) state.wanted.put(version, urgency)
  version.retryAt = retryAt
  version.weighedAt = weighedAt
  version.servedAtWant = servedAtWant && { ...servedAtWant }
  if (retryAt !== null) state.retries.add(version)
  version.migratedAt = migratedAt
  version.migration = migration && {
    from: found(state.devices, migration.from),
    to: found(state.devices, migration.to),
  }
  if (claimed === null) return
  version.claimed = found(state.devices, claimed)
  version.claimed.claim = version
}

function restoreAllocation(state: SchedulerState, { deviceId, ...allocation }: AllocationSnapshot): void {
  const device = found(state.devices, deviceId)
  const { allocationId, purpose, sizeBytes } = allocation
  if (allocation.state === 'reserved') device.reservedBytes += sizeBytes
  else device.allocatedBytes += sizeBytes
  if (purpose === 'weights') device.weightsBytes += sizeBytes
  state.allocations.set(allocationId, { ...allocation, device })
}

function restoreWorker(state: SchedulerState, snapshot: WorkerSnapshot): void {
  const { workerId, deviceId, engine, restartCount } = snapshot
  const worker: Worker = {
    workerId,
    slot: found(found(state.devices, deviceId).slots, engine),
    state: snapshot.state,
    restartCount,
    tasks: new Set(),
    residencies: new Map(),
    alone: null,
    isSuspected: snapshot.isSuspected,
    lease: snapshot.lease,
    served: snapshot.served,
    memory: [...snapshot.memory],
    runtime: found(state.allocations, snapshot.runtime),
  }
  state.workers.set(workerId, worker)
}

function fillSlots(state: SchedulerState, { spec, slots }: DeviceSnapshot): void {
  const device = found(state.devices, spec.deviceId)
  for (const { engine, primary, retiring, spares } of slots) {
    const slot = found(device.slots, engine)
    slot.primary = primary === null ? null : found(state.workers, primary)
    slot.retiring = retiring === null ? null : found(state.workers, retiring)
    if (slot.retiring || (slot.primary && isDue(state, slot.primary))) state.recycling.add(slot)
    slot.spares.push(...spares.map((workerId) => found(state.workers, workerId)))
  }
}

function restoreResidency(state: SchedulerState, snapshot: ResidencySnapshot): void {
  const { versionId, workerId, jobs: _jobs, components, weights, working, ...rest } = snapshot
  const version = found(state.versions, versionId)
  const worker = found(state.workers, workerId)
  const residency: LiveResidency = {
    ...rest,
    version,
    worker,
    admitted: 0,
    interactive: 0,
    running: 0,
    parked: 0,
    jobs: new Set(),
    lanes: createLanes(),
    components: new Set(components),
    weights: found(state.allocations, weights),
    working: found(state.allocations, working),
  }
  const device = deviceOf(residency)
  version.residencies.push(residency)
  worker.residencies.set(versionId, residency)
  device.residencies.add(residency)
  if (residency.state === 'loading') device.loading = residency
  state.residencies.set(residency.residencyId, residency)
}

function restoreSession(state: SchedulerState, { sessionId, versionId, isKnown, ...pace }: SessionSnapshot): void {
  const version = found(state.versions, versionId)
  state.sessions.set(sessionId, { ...pace, version })
  if (isKnown) version.sessions.add(sessionId)
}

function restoreLoadingJobs(state: SchedulerState, { spec, loadingJobs }: VersionSnapshot): void {
  const version = found(state.versions, spec.versionId)
  for (const jobId of loadingJobs) version.loadingJobs.add(found(state.jobs, jobId))
}
