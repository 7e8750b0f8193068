/** A state from its snapshot. Whatever can be counted or derived is counted and derived anew. */
import { linkTasks } from './accepting.ts'
import { createDevice, createLanes, createSlot, createVersion } from './blank.ts'
import type { SchedulerSettings } from './settings.ts'
import {
  type AllocationSnapshot,
  type DeviceSnapshot,
  type JobSnapshot,
  type ResidencySnapshot,
  type Snapshot,
  snapshotFormat,
  type TaskSnapshot,
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
  for (const residency of snapshot.residencies) restoreHome(state, residency)
  for (const job of state.jobs.values()) restorePlaces(state, job)
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

function restoreDevice(state: SchedulerState, { spec, externalBytes, leaseTurn, slots }: DeviceSnapshot): void {
  const device = createDevice(spec)
  device.externalBytes = externalBytes
  device.leaseTurn = leaseTurn
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
    lease: snapshot.lease,
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

function restoreJob(state: SchedulerState, { isLive, versionId, tasks, ...rest }: JobSnapshot): void {
  const version = found(state.versions, versionId)
  const counts = { tasksAtWorkers: 0, tasksStepping: 0, tasksLeft: 0 }
  const job: Job = { ...rest, version, tasks: [], home: null, ...counts, deadlineSlot: -1 }
  for (const task of tasks) restoreTask(state, job, task)
  linkTasks(job, { tasks })
  if (!isLive) return
  state.jobs.set(job.jobId, job)
  if (job.state === 'running') state.runningCount[job.class] += 1
  else if (job.state === 'paused') state.pausedCount[job.class] += 1
  else state.waiting[job.class].add(job)
}

function restoreTask(state: SchedulerState, job: Job, snapshot: TaskSnapshot): void {
  const { residencyId, heldOutput, pausedState, after: _after, ...facts } = snapshot
  const task: Task = {
    ...facts,
    job,
    version: job.version,
    after: [],
    followers: [],
    residency: residencyId === null ? null : found(state.residencies, residencyId),
    heldOutput: heldOutput === null ? null : found(state.allocations, heldOutput),
    pausedState: pausedState === null ? null : found(state.allocations, pausedState),
  }
  job.tasks.push(task)
  state.tasks.set(task.taskId, task)
  if (task.state !== 'done') job.tasksLeft += 1
}

/** Also counts them where they are. */
function restoreTasksOf(state: SchedulerState, snapshot: WorkerSnapshot): void {
  const worker = found(state.workers, snapshot.workerId)
  for (const taskId of snapshot.tasks) {
    const task = found(state.tasks, taskId)
    const { job, residency } = task
    if (!residency) throw new Error(`The snapshot has task ${taskId} at a worker and at no residency.`)
    worker.tasks.add(task)
    job.tasksAtWorkers += 1
    if (task.pausedState) residency.parked += 1
    else restoreStepping(task, residency)
  }
  if (snapshot.alone === null) return
  worker.alone = found(state.tasks, snapshot.alone)
  worker.alone.version.aloneAt = worker
}

function restoreStepping({ job, startedAt }: Task, residency: LiveResidency): void {
  deviceOf(residency).admitted += 1
  job.tasksStepping += 1
  residency.admitted += 1
  if (job.class === 'interactive') residency.interactive += 1
  if (startedAt !== null) residency.running += 1
}

function restoreHome(state: SchedulerState, { residencyId, jobs }: ResidencySnapshot): void {
  const residency = found(state.residencies, residencyId)
  for (const jobId of jobs) {
    const job = found(state.jobs, jobId)
    residency.jobs.add(job)
    job.home = residency
  }
}

/** In the queues that their states name. */
function restorePlaces(state: SchedulerState, job: Job): void {
  const { lanes } = job.home ?? job.version
  for (const task of job.tasks) {
    if (task.state === 'waiting') lanes[job.class].add(task)
    if (task.state === 'suspect') job.version.suspects.add(task)
  }
  if (job.deadlineAt !== null && job.tasksStepping === 0 && !job.cancelRequested) state.deadlines.add(job)
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
