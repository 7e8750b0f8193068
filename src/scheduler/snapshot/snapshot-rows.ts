/** The parts of a snapshot: each thing as plain JSON, others named by their numbers. */

import type { DeviceLoad } from '../batching/load-of-device.ts'
import type { AllocationPurpose, AllocationState, ResidencyState } from '../commands.ts'
import type { Hint } from '../demand/hints.ts'
import type { DeviceSpec, PriorityClass, VersionSpec } from '../events.ts'
import type { WorkClock } from '../fairness/work-clock.ts'
import type {
  AllocationId,
  DeviceId,
  JobId,
  Millis,
  ResidencyId,
  SessionId,
  TaskId,
  UserId,
  VersionId,
  WorkerId,
} from '../ids.ts'
import type { Pin } from '../pins/pins.ts'
import type { Pressure } from '../pressure/levels.ts'
import type { Device, Job, LeaseTurn, LiveAllocation, LiveResidency, Slot, Task, Version, Worker } from '../state.ts'
import { type ShareSnapshot, shareOut } from './fairness-rows.ts'

export interface DeviceSnapshot {
  readonly migratedAt: Millis | null
  readonly spec: DeviceSpec
  readonly externalBytes: number
  readonly isLost: boolean
  readonly leaseTurn: LeaseTurn | null
  readonly load: DeviceLoad
  readonly pressure: Pressure
  readonly heldJobs: readonly JobId[]
  readonly clock: WorkClock
  readonly slots: readonly SlotSnapshot[]
}
export interface SlotSnapshot
  extends Pick<
    Slot,
    'engine' | 'deaths' | 'lastDeathAt' | 'notBefore' | 'restartCount' | 'circuit' | 'recoversAt' | 'openings'
  > {
  readonly primary: WorkerId | null
  readonly retiring: WorkerId | null
  readonly spares: readonly WorkerId[]
}
export interface VersionSnapshot
  extends Pick<
    Version,
    | 'standing'
    | 'staleInARow'
    | 'rewarm'
    | 'loadFailures'
    | 'notBefore'
    | 'wantedSince'
    | 'shortSince'
    | 'isOwedRoom'
    | 'urgency'
    | 'retryAt'
    | 'weighedAt'
    | 'servedAtWant'
    | 'migratedAt'
  > {
  readonly spec: VersionSpec
  readonly loadingJobs: readonly JobId[]
  readonly requests: readonly (DeviceId | null)[]
  readonly pins: readonly Pin[]
  readonly hint: Hint | null
  readonly claimed: DeviceId | null
  readonly migration: { readonly from: DeviceId; readonly to: DeviceId } | null
}
export interface JobSnapshot
  extends Pick<
    Job,
    | 'state'
    | 'stage'
    | 'arrival'
    | 'order'
    | 'attempt'
    | 'failedAttempts'
    | 'deathsAlone'
    | 'staleAttempts'
    | 'cancelRequested'
    | 'pauseCause'
    | 'setback'
    | 'memory'
    | 'gained'
    | 'isStuck'
    | 'forecast'
    | 'boundMs'
  > {
  readonly boundTo: DeviceId | null
  readonly jobId: JobId
  readonly versionId: VersionId
  readonly userId: UserId | null
  readonly sessionId: SessionId | null
  readonly weight: number
  readonly work: number
  readonly share: ShareSnapshot
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
    | 'arrival'
    | 'order'
    | 'state'
    | 'startedAt'
    | 'workSince'
    | 'reportedAt'
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
export interface WorkerSnapshot
  extends Pick<Worker, 'state' | 'restartCount' | 'isSuspected' | 'lease' | 'served' | 'memory'> {
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
    | 'told'
    | 'loadStartedAt'
    | 'loadedAt'
    | 'lastUsedAt'
    | 'interactiveAt'
    | 'saturatedSince'
    | 'ending'
    | 'unloadSent'
    | 'isRetiring'
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

export function deviceOut({
  spec,
  externalBytes,
  migratedAt,
  isLost,
  leaseTurn,
  load,
  pressure,
  heldJobs,
  clock,
  slots,
}: Device): DeviceSnapshot {
  return {
    spec,
    migratedAt,
    externalBytes,
    isLost,
    leaseTurn,
    load: { ...load },
    pressure: { ...pressure },
    heldJobs: [...heldJobs].map(({ jobId }) => jobId),
    clock: { ...clock },
    slots: [...slots.values()].map(slotOut),
  }
}

function slotOut(slot: Slot): SlotSnapshot {
  const {
    engine,
    primary,
    retiring,
    spares,
    deaths,
    lastDeathAt,
    notBefore,
    restartCount,
    circuit,
    recoversAt,
    openings,
  } = slot
  return {
    engine,
    primary: primary?.workerId ?? null,
    retiring: retiring?.workerId ?? null,
    spares: spares.map(({ workerId }) => workerId),
    deaths,
    lastDeathAt,
    notBefore,
    restartCount,
    circuit,
    recoversAt,
    openings,
  }
}

export function versionOut(version: Version): VersionSnapshot {
  const { spec, standing, staleInARow, loadingJobs, requests, rewarm, loadFailures, notBefore } = version
  const { wantedSince, shortSince, isOwedRoom } = version
  const jobIds = [...loadingJobs].map(({ jobId }) => jobId)
  return {
    spec,
    standing,
    staleInARow,
    loadingJobs: jobIds,
    requests: [...requests],
    pins: [...version.pins],
    hint: version.hint,
    rewarm,
    loadFailures,
    notBefore,
    wantedSince,
    shortSince,
    isOwedRoom,
    claimed: version.claimed?.spec.deviceId ?? null,
    urgency: version.urgency,
    retryAt: version.retryAt,
    weighedAt: version.weighedAt,
    migratedAt: version.migratedAt,
    migration: version.migration && {
      from: version.migration.from.spec.deviceId,
      to: version.migration.to.spec.deviceId,
    },
    servedAtWant: version.servedAtWant && { ...version.servedAtWant },
  }
}

export function jobOut(job: Job, isLive: boolean): JobSnapshot {
  const { jobId, userId, sessionId, weight, work, share, class: priorityClass, submittedAt, deadlineAt } = job
  const { arrival, order, version, tasks, state, stage } = job
  const { attempt, failedAttempts, deathsAlone, staleAttempts, cancelRequested, pauseCause, setback } = job
  const { gained, isStuck, boundTo, boundMs } = job
  const memory = { ...job.memory }
  const forecast = job.forecast && { ...job.forecast }
  return {
    jobId,
    userId,
    sessionId,
    weight,
    work,
    share: shareOut(share),
    class: priorityClass,
    submittedAt,
    deadlineAt,
    arrival,
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
    memory,
    gained,
    isStuck,
    forecast,
    boundTo: boundTo?.spec.deviceId ?? null,
    boundMs,
    isLive,
    tasks: (isLive ? tasks : tasks.filter(({ residency }) => residency)).map(taskOut),
  }
}

function taskOut(task: Task): TaskSnapshot {
  const { taskId, stage, isHeld, components, after, arrival, order, state, residency } = task
  const {
    startedAt,
    workSince,
    reportedAt,
    stepsDone,
    checkpointStep,
    heldOutput,
    pausedState,
    isSuspect,
    unstartedDeaths,
  } = task
  return {
    taskId,
    stage,
    isHeld,
    components,
    after: after.map((predecessor) => predecessor.taskId),
    arrival,
    order,
    state,
    residencyId: residency?.residencyId ?? null,
    startedAt,
    workSince,
    reportedAt,
    stepsDone,
    checkpointStep,
    heldOutput: heldOutput?.allocationId ?? null,
    pausedState: pausedState?.allocationId ?? null,
    isSuspect,
    unstartedDeaths,
  }
}

export function allocationOut({ device, ...allocation }: LiveAllocation): AllocationSnapshot {
  return { ...allocation, deviceId: device.spec.deviceId }
}

export function workerOut(worker: Worker): WorkerSnapshot {
  const { workerId, slot, state, restartCount, tasks, alone, isSuspected, lease } = worker
  const { served, memory, runtime } = worker
  return {
    workerId,
    deviceId: slot.device.spec.deviceId,
    engine: slot.engine,
    state,
    restartCount,
    tasks: [...tasks].map(({ taskId }) => taskId),
    alone: alone?.taskId ?? null,
    isSuspected,
    lease,
    served,
    memory: [...memory],
    runtime: runtime.allocationId,
  }
}

export function residencyOut(residency: LiveResidency): ResidencySnapshot {
  const { residencyId, version, worker, state, jobs, components, weights, working } = residency
  const { told, loadStartedAt, loadedAt, lastUsedAt, interactiveAt, saturatedSince, ending, unloadSent, isRetiring } =
    residency
  return {
    residencyId,
    versionId: version.spec.versionId,
    workerId: worker.workerId,
    state,
    jobs: [...jobs].map(({ jobId }) => jobId),
    components: [...components],
    weights: weights.allocationId,
    working: working.allocationId,
    told,
    loadStartedAt,
    loadedAt,
    lastUsedAt,
    interactiveAt,
    saturatedSince,
    ending,
    unloadSent,
    isRetiring,
  }
}
