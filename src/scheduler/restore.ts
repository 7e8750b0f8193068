/** A state from its snapshot. Whatever can be counted or derived is counted and derived anew. */
import { createDevice, createSlot, createVersion } from './blank.ts'
import type { SchedulerSettings } from './settings.ts'
import {
  type AllocationSnapshot,
  type DeviceSnapshot,
  type JobSnapshot,
  type ResidencySnapshot,
  type Snapshot,
  snapshotFormat,
  type VersionSnapshot,
  type WorkerSnapshot,
} from './snapshot.ts'
import {
  createState,
  deviceOf,
  type Job,
  type LiveResidency,
  type SchedulerState,
  type Task,
  type Worker,
} from './state.ts'

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
  for (const version of snapshot.versions) restoreVersion(state, version)
  for (const allocation of snapshot.allocations) restoreAllocation(state, allocation)
  for (const worker of snapshot.workers) restoreWorker(state, worker)
  for (const device of snapshot.devices) fillSlots(state, device)
  for (const residency of snapshot.residencies) restoreResidency(state, residency)
  for (const job of snapshot.jobs) restoreJob(state, job)
  for (const worker of snapshot.workers) restoreTasksOf(state, worker)
  for (const job of state.jobs.values())
    if (job.deadlineAt !== null && job.tasksAtWorkers === 0) state.deadlines.add(job)
  for (const version of snapshot.versions) restoreLoadingJobs(state, version)
  for (const versionId of snapshot.wanted) state.wanted.add(found(state.versions, versionId))
  return state
}

function restoreCounters(state: SchedulerState, snapshot: Snapshot): void {
  state.nextOrder = snapshot.nextOrder
  state.draining = snapshot.draining
  state.recovering = snapshot.recovering
  state.timerAt = snapshot.timerAt
  state.alarms.push(...snapshot.alarms)
  state.decisions.continueFrom(snapshot.decisionCount)
  for (const [engine, bytes] of snapshot.engineBytes) state.engineBytes.set(engine, bytes)
  for (const [versionId, learnt] of snapshot.learnt) state.learnt.set(versionId, { ...learnt })
}

function restoreDevice(state: SchedulerState, { spec, externalBytes, slots }: DeviceSnapshot): void {
  const device = createDevice(spec)
  device.externalBytes = externalBytes
  for (const { engine, deaths, lastDeathAt, notBefore, restartCount } of slots) {
    Object.assign(createSlot(device, engine), { deaths, lastDeathAt, notBefore, restartCount })
  }
  state.devices.set(spec.deviceId, device)
}

function restoreVersion(state: SchedulerState, snapshot: VersionSnapshot): void {
  const { spec, standing, staleInARow, rewarm, loadFailures, notBefore, wantedSince, shortSince, isOwedRoom } = snapshot
  const wishes = {
    standing,
    staleInARow,
    requests: [...snapshot.requests],
    rewarm,
    loadFailures,
    notBefore,
    wantedSince,
    shortSince,
    isOwedRoom,
  }
  state.versions.set(spec.versionId, { ...createVersion(state, spec), ...wishes })
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
  const { workerId, deviceId, engine, spawnedAt, restartCount } = snapshot
  const worker: Worker = {
    workerId,
    slot: found(found(state.devices, deviceId).slots, engine),
    state: snapshot.state,
    spawnedAt,
    restartCount,
    tasks: new Set(),
    residencies: new Map(),
    alone: null,
    runtime: found(state.allocations, snapshot.runtime),
  }
  state.workers.set(workerId, worker)
}

function fillSlots(state: SchedulerState, { spec, slots }: DeviceSnapshot): void {
  const device = found(state.devices, spec.deviceId)
  for (const { engine, primary, spares } of slots) {
    const slot = found(device.slots, engine)
    slot.primary = primary === null ? null : found(state.workers, primary)
    slot.spares.push(...spares.map((workerId) => found(state.workers, workerId)))
  }
}

function restoreResidency(state: SchedulerState, snapshot: ResidencySnapshot): void {
  const { versionId, workerId, weights, working, ...rest } = snapshot
  const version = found(state.versions, versionId)
  const worker = found(state.workers, workerId)
  const residency: LiveResidency = {
    ...rest,
    version,
    worker,
    admitted: 0,
    interactive: 0,
    running: 0,
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

function restoreJob(state: SchedulerState, { isLive, tasks, ...rest }: JobSnapshot): void {
  const job: Job = { ...rest, tasks: [], tasksAtWorkers: 0, tasksLeft: 0, deadlineSlot: -1 }
  for (const { versionId, residencyId, ...facts } of tasks) {
    const residency = residencyId === null ? null : found(state.residencies, residencyId)
    const task: Task = { ...facts, job, version: found(state.versions, versionId), residency }
    job.tasks.push(task)
    state.tasks.set(task.taskId, task)
    if (task.state !== 'done') job.tasksLeft += 1
    if (task.state === 'waiting') task.version.lanes[job.class].add(task)
    if (task.state === 'suspect') task.version.suspects.add(task)
  }
  if (!isLive) return
  state.jobs.set(job.jobId, job)
  if (job.state === 'running') state.runningCount[job.class] += 1
  else state.waiting[job.class].add(job)
}

/** Also counts them where they are. */
function restoreTasksOf(state: SchedulerState, snapshot: WorkerSnapshot): void {
  const worker = found(state.workers, snapshot.workerId)
  for (const taskId of snapshot.tasks) {
    const task = found(state.tasks, taskId)
    const { job, residency, startedAt } = task
    worker.tasks.add(task)
    worker.slot.device.admitted += 1
    job.tasksAtWorkers += 1
    if (!residency) throw new Error(`The snapshot has task ${taskId} at a worker and at no residency.`)
    residency.admitted += 1
    if (job.class === 'interactive') residency.interactive += 1
    if (startedAt !== null) residency.running += 1
  }
  if (snapshot.alone === null) return
  worker.alone = found(state.tasks, snapshot.alone)
  worker.alone.version.aloneAt = worker
}

function restoreLoadingJobs(state: SchedulerState, { spec, loadingJobs }: VersionSnapshot): void {
  const version = found(state.versions, spec.versionId)
  for (const jobId of loadingJobs) version.loadingJobs.add(found(state.jobs, jobId))
}

function found<Id, Thing>(things: ReadonlyMap<Id, Thing>, id: Id): Thing {
  const thing = things.get(id)
  if (thing === undefined) throw new Error(`The snapshot names ${String(id)}, which it does not have.`)
  return thing
}
