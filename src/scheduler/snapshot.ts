/**
 * The whole state as plain JSON, and back. A restored state gives the same commands as the one it was taken from, so a snapshot opens a replay;
 * and it carries what was learnt over a restart. Only the decisions themselves stay behind; their count goes on.
 */
import type { AllocationPurpose, AllocationState, ResidencyState } from './commands.ts'
import type { DeviceSpec, PriorityClass, VersionSpec } from './events.ts'
import type {
  AllocationId,
  DeviceId,
  JobId,
  Millis,
  ResidencyId,
  SessionId,
  TaskId,
  VersionId,
  WorkerId,
} from './ids.ts'
import type { Learnt } from './learning.ts'
import type { SchedulerSettings } from './settings.ts'
import type {
  Device,
  Job,
  LeaseTurn,
  LiveAllocation,
  LiveResidency,
  SchedulerState,
  Slot,
  Task,
  Version,
  Worker,
} from './state.ts'

/** Raised with every change of the shape; others are refused. */
export const snapshotFormat = 3

export interface Snapshot {
  readonly format: number
  readonly settings: SchedulerSettings
  readonly nextRuntimeId: number
  readonly nextOrder: number
  readonly draining: boolean
  readonly recovering: boolean
  readonly alarms: readonly Millis[]
  readonly timerAt: Millis | null
  readonly decisionCount: number
  readonly learnt: readonly (readonly [VersionId, Learnt])[]
  readonly engineBytes: readonly (readonly [string, number])[]
  readonly devices: readonly DeviceSnapshot[]
  readonly versions: readonly VersionSnapshot[]
  readonly jobs: readonly JobSnapshot[]
  readonly allocations: readonly AllocationSnapshot[]
  readonly workers: readonly WorkerSnapshot[]
  readonly residencies: readonly ResidencySnapshot[]
  readonly wanted: readonly VersionId[]
}

export interface DeviceSnapshot {
  readonly spec: DeviceSpec
  readonly externalBytes: number
  readonly leaseTurn: LeaseTurn | null
  readonly slots: readonly SlotSnapshot[]
}
export interface SlotSnapshot extends Pick<Slot, 'engine' | 'deaths' | 'lastDeathAt' | 'notBefore' | 'restartCount'> {
  readonly primary: WorkerId | null
  readonly spares: readonly WorkerId[]
}
export interface VersionSnapshot
  extends Pick<
    Version,
    'standing' | 'staleInARow' | 'rewarm' | 'loadFailures' | 'notBefore' | 'wantedSince' | 'shortSince' | 'isOwedRoom'
  > {
  readonly spec: VersionSpec
  readonly loadingJobs: readonly JobId[]
  readonly requests: readonly (DeviceId | null)[]
}
export interface JobSnapshot
  extends Pick<
    Job,
    | 'state'
    | 'stage'
    | 'order'
    | 'attempt'
    | 'failedAttempts'
    | 'deathsAlone'
    | 'staleAttempts'
    | 'cancelRequested'
    | 'pauseCause'
    | 'setback'
    | 'gained'
    | 'isStuck'
  > {
  readonly jobId: JobId
  readonly versionId: VersionId
  readonly sessionId: SessionId | null
  readonly class: PriorityClass
  readonly submittedAt: Millis
  readonly deadlineAt: Millis | null
  /** False: only tasks that a worker has not let go of yet are left of it. */
  readonly isLive: boolean
  readonly tasks: readonly TaskSnapshot[]
}
export interface TaskSnapshot
  extends Pick<
    Task,
    | 'taskId'
    | 'stage'
    | 'isHeld'
    | 'components'
    | 'order'
    | 'state'
    | 'startedAt'
    | 'stepsDone'
    | 'checkpointStep'
    | 'isSuspect'
    | 'unstartedDeaths'
  > {
  readonly after: readonly TaskId[]
  readonly residencyId: ResidencyId | null
  readonly heldOutput: AllocationId | null
  readonly pausedState: AllocationId | null
}
export interface AllocationSnapshot
  extends Pick<
    LiveAllocation,
    'predictedBytes' | 'sizeBytes' | 'measuredBytes' | 'workerId' | 'residencyId' | 'jobId'
  > {
  readonly allocationId: AllocationId
  readonly deviceId: DeviceId
  readonly purpose: AllocationPurpose
  readonly state: AllocationState
}
export interface WorkerSnapshot extends Pick<Worker, 'state' | 'spawnedAt' | 'restartCount' | 'lease'> {
  readonly workerId: WorkerId
  readonly deviceId: DeviceId
  readonly engine: string
  /** In the order of admission. */
  readonly tasks: readonly TaskId[]
  readonly alone: TaskId | null
  readonly runtime: AllocationId
}
export interface ResidencySnapshot
  extends Pick<
    LiveResidency,
    'loadStartedAt' | 'loadedAt' | 'lastUsedAt' | 'saturatedSince' | 'ending' | 'unloadSent'
  > {
  readonly residencyId: ResidencyId
  readonly versionId: VersionId
  readonly workerId: WorkerId
  readonly state: ResidencyState
  /** At home there, in the order in which they came. */
  readonly jobs: readonly JobId[]
  readonly components: readonly number[]
  readonly weights: AllocationId
  readonly working: AllocationId
}

export function snapshot(state: SchedulerState): Snapshot {
  return {
    ...snapshotLearnt(state),
    draining: state.draining,
    recovering: state.recovering,
    alarms: [...state.alarms],
    timerAt: state.timerAt,
    devices: [...state.devices.values()].map(deviceOut),
    versions: [...state.versions.values()].map(versionOut),
    jobs: [...knownJobs(state)].map((job) => jobOut(job, state.jobs.has(job.jobId))),
    allocations: [...state.allocations.values()].map(allocationOut),
    workers: [...state.workers.values()].map(workerOut),
    residencies: [...state.residencies.values()].map(residencyOut),
    wanted: [...state.wanted].map(({ spec }) => spec.versionId),
  }
}

/** Only what survives a restart: small however long the queue is, and restored like any other. */
export function snapshotLearnt(state: SchedulerState): Snapshot {
  return {
    format: snapshotFormat,
    settings: state.settings,
    nextRuntimeId: state.nextRuntimeId,
    nextOrder: state.nextOrder,
    draining: false,
    recovering: false,
    alarms: [],
    timerAt: null,
    decisionCount: state.decisions.total,
    learnt: [...state.learnt].map(([versionId, learnt]) => [versionId, { ...learnt }] as const),
    engineBytes: [...state.engineBytes],
    devices: [],
    versions: [],
    jobs: [],
    allocations: [],
    workers: [],
    residencies: [],
    wanted: [],
  }
}

/** Live jobs, then ended ones of which a worker still has a task. */
function knownJobs(state: SchedulerState): Set<Job> {
  const jobs = new Set(state.jobs.values())
  for (const { tasks } of state.workers.values()) for (const { job } of tasks) jobs.add(job)
  return jobs
}

function deviceOut({ spec, externalBytes, leaseTurn, slots }: Device): DeviceSnapshot {
  return { spec, externalBytes, leaseTurn, slots: [...slots.values()].map(slotOut) }
}

function slotOut({ engine, primary, spares, deaths, lastDeathAt, notBefore, restartCount }: Slot): SlotSnapshot {
  return {
    engine,
    primary: primary?.workerId ?? null,
    spares: spares.map(({ workerId }) => workerId),
    deaths,
    lastDeathAt,
    notBefore,
    restartCount,
  }
}

function versionOut(version: Version): VersionSnapshot {
  const { spec, standing, staleInARow, loadingJobs, requests, rewarm, loadFailures, notBefore } = version
  const { wantedSince, shortSince, isOwedRoom } = version
  const jobIds = [...loadingJobs].map(({ jobId }) => jobId)
  return {
    spec,
    standing,
    staleInARow,
    loadingJobs: jobIds,
    requests: [...requests],
    rewarm,
    loadFailures,
    notBefore,
    wantedSince,
    shortSince,
    isOwedRoom,
  }
}

function jobOut(job: Job, isLive: boolean): JobSnapshot {
  const { jobId, sessionId, class: priorityClass, submittedAt, deadlineAt, order, version, tasks, state, stage } = job
  const { attempt, failedAttempts, deathsAlone, staleAttempts, cancelRequested, pauseCause, setback } = job
  const { gained, isStuck } = job
  return {
    jobId,
    sessionId,
    class: priorityClass,
    submittedAt,
    deadlineAt,
    order,
    versionId: version.spec.versionId,
    state,
    stage,
    attempt,
    failedAttempts,
    deathsAlone,
    staleAttempts,
    cancelRequested,
    pauseCause,
    setback,
    gained,
    isStuck,
    isLive,
    tasks: (isLive ? tasks : tasks.filter(({ residency }) => residency)).map(taskOut),
  }
}

function taskOut(task: Task): TaskSnapshot {
  const { taskId, stage, isHeld, components, after, order, state, residency, startedAt } = task
  const { stepsDone, checkpointStep, heldOutput, pausedState, isSuspect, unstartedDeaths } = task
  return {
    taskId,
    stage,
    isHeld,
    components,
    after: after.map((predecessor) => predecessor.taskId),
    order,
    state,
    residencyId: residency?.residencyId ?? null,
    startedAt,
    stepsDone,
    checkpointStep,
    heldOutput: heldOutput?.allocationId ?? null,
    pausedState: pausedState?.allocationId ?? null,
    isSuspect,
    unstartedDeaths,
  }
}

function allocationOut({ device, ...allocation }: LiveAllocation): AllocationSnapshot {
  return { ...allocation, deviceId: device.spec.deviceId }
}

function workerOut(worker: Worker): WorkerSnapshot {
  const { workerId, slot, state, spawnedAt, restartCount, tasks, alone, lease, runtime } = worker
  return {
    workerId,
    deviceId: slot.device.spec.deviceId,
    engine: slot.engine,
    state,
    spawnedAt,
    restartCount,
    tasks: [...tasks].map(({ taskId }) => taskId),
    alone: alone?.taskId ?? null,
    lease,
    runtime: runtime.allocationId,
  }
}

function residencyOut(residency: LiveResidency): ResidencySnapshot {
  const { residencyId, version, worker, state, jobs, components, weights, working } = residency
  const { loadStartedAt, loadedAt, lastUsedAt, saturatedSince, ending, unloadSent } = residency
  return {
    residencyId,
    versionId: version.spec.versionId,
    workerId: worker.workerId,
    state,
    jobs: [...jobs].map(({ jobId }) => jobId),
    components: [...components],
    weights: weights.allocationId,
    working: working.allocationId,
    loadStartedAt,
    loadedAt,
    lastUsedAt,
    saturatedSince,
    ending,
    unloadSent,
  }
}
