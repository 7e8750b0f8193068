/**
 * What the scheduler wants done. A command is a value; `src/runtime/executor.ts` and `src/app/shell.ts` carry it out in one exhaustive switch,
 * in the order given. `jobs*` commands become durable state changes, then events that users see.
 */
import type { PauseCause, PriorityClass, TaskStage, WorkerExitCause } from './events.ts'
import type { AllocationId, DeviceId, JobId, Millis, ResidencyId, TaskId, VersionId, WorkerId } from './ids.ts'

export interface Admission {
  readonly taskId: TaskId
  readonly jobId: JobId
  readonly class: PriorityClass
  /** Place in the order of its class; lower first. */
  readonly order: number
  readonly attempt: number
  readonly deadlineAt: Millis | null
  readonly stage: TaskStage
  /** Its output stays in the worker until `releaseOutputs`. */
  readonly isHeld: boolean
  /** Earlier tasks whose held outputs it takes. */
  readonly inputs: readonly TaskId[]
  /** It goes on from its newest checkpoint. */
  readonly isRestored: boolean
  /** How long a step of it may compute before its worker counts as hung; null = nobody knows. */
  readonly stepMsMax: Millis | null
}

/** How many states of a node of a model share a step well, and how long a step is worth waiting for. */
export interface NodeLimit {
  readonly node: string
  /** Null = all shapes that have no limit of their own. */
  readonly shape: string | null
  readonly limit: number
  /** For tasks of batch class, where that is another. */
  readonly batchClassLimit: number | null
  /** Null = as long as the model's policy says. */
  readonly holdMs: number | null
  /** A step of b states lasts baseMs + b * stateMs; null = nobody knows. */
  readonly baseMs: number | null
  readonly stateMs: number | null
}

export type AllocationPurpose = 'weights' | 'kv_cache' | 'runtime' | 'activations' | 'paused_state'
export type AllocationState = 'reserved' | 'committed' | 'released' | 'rolled_back'

export interface Allocation {
  readonly allocationId: AllocationId
  readonly deviceId: DeviceId
  readonly purpose: AllocationPurpose
  readonly state: AllocationState
  readonly predictedBytes: number
  /** What it counts for in the ledger now. */
  readonly sizeBytes: number
  readonly measuredBytes: number | null
  readonly workerId: WorkerId | null
  readonly residencyId: ResidencyId | null
  /** Whose paused state or held outputs it is. */
  readonly jobId: JobId | null
}

export type ResidencyState = 'loading' | 'resident' | 'evicting'

export interface Residency {
  readonly residencyId: ResidencyId
  readonly versionId: VersionId
  readonly deviceId: DeviceId
  readonly workerId: WorkerId
  readonly state: ResidencyState
  readonly sizeBytes: number
  /** Of the weights, what is there; all of them once it is resident. */
  readonly loadedBytes: number
  /** Places, in the version's list, of the components that are there. */
  readonly components: readonly number[]
  readonly loadedAt: Millis | null
  readonly lastUsedAt: Millis | null
}

export type JobFailureCode =
  | 'DEADLINE_EXCEEDED'
  | 'OUT_OF_MEMORY'
  | 'ENGINE_ERROR'
  | 'WORKER_LOST'
  | 'QUARANTINED'
  | 'DEVICE_LOST'
  | 'MODEL_VERSION_GONE'
  | 'ARTIFACT_MISSING'
  | 'UNSAFE_CONTENT'
  | 'INVALID_INPUT'
  | 'INTERNAL'

export type RequeueCause =
  | 'worker_lost'
  | 'server_restarted'
  | 'engine_error'
  | 'out_of_memory'
  | 'load_failed'
  | 'stale_model'
  | 'model_unloaded'
  | 'device_lost'

export interface MemoryFacts {
  readonly limitBytes: number
  readonly availableBytes: number
}

/** What was done so that a job finds more memory when it runs again. */
export type MemoryRemedy = 'offloaded' | 'evicted' | 'recycled' | 'moved' | 'postponed'

export type Command =
  /** `spare`: an engine kept warm without a model. */
  | {
      readonly type: 'spawnWorker'
      readonly workerId: WorkerId
      readonly deviceId: DeviceId
      readonly engine: string
      readonly spare: boolean
    }
  /** At once: its device is lost. */
  | { readonly type: 'killWorker'; readonly workerId: WorkerId }
  /** Ask it to end; `workerExited` follows. */
  | { readonly type: 'stopWorker'; readonly workerId: WorkerId }
  /** `loadMsMax`: how long it may compute without getting on before its worker counts as hung; null = nobody knows. */
  | {
      readonly type: 'load'
      readonly workerId: WorkerId
      readonly versionId: VersionId
      readonly loadMsMax: Millis | null
    }
  /** A worker found other files than the version was registered with: read them again, and answer `versionChecked`. Nothing loads it meanwhile. */
  | { readonly type: 'checkVersion'; readonly versionId: VersionId }
  | { readonly type: 'unload'; readonly workerId: WorkerId; readonly versionId: VersionId }
  | {
      readonly type: 'setPolicy'
      readonly workerId: WorkerId
      readonly versionId: VersionId
      readonly batchLimit: number
      readonly holdMs: number
      readonly interactiveFirst: boolean
      readonly interruptAfterMs: number
      readonly checkpointSteps: number
      readonly inferenceShare: number
      readonly limits: readonly NodeLimit[]
    }
  | { readonly type: 'admit'; readonly workerId: WorkerId; readonly tasks: readonly Admission[] }
  | { readonly type: 'withdraw'; readonly workerId: WorkerId; readonly taskIds: readonly TaskId[] }
  | { readonly type: 'cancelTasks'; readonly workerId: WorkerId; readonly taskIds: readonly TaskId[] }
  | { readonly type: 'pauseTasks'; readonly workerId: WorkerId; readonly taskIds: readonly TaskId[] }
  | { readonly type: 'resumeTasks'; readonly workerId: WorkerId; readonly taskIds: readonly TaskId[] }
  /** Nobody takes the held outputs of these tasks any more. */
  | { readonly type: 'releaseOutputs'; readonly workerId: WorkerId; readonly taskIds: readonly TaskId[] }
  /** The worker may step. Each begins with the lease of its device. */
  | { readonly type: 'grantLease'; readonly workerId: WorkerId }
  /** It is to step no more; `leaseRevoked` follows when its running step is over. */
  | { readonly type: 'revokeLease'; readonly workerId: WorkerId }
  | { readonly type: 'jobLoading'; readonly jobId: JobId; readonly attempt: number; readonly deviceId: DeviceId }
  | {
      readonly type: 'jobStarted'
      readonly jobId: JobId
      readonly attempt: number
      readonly deviceId: DeviceId
      readonly workerId: WorkerId
    }
  | {
      readonly type: 'jobRequeued'
      readonly jobId: JobId
      readonly attempt: number
      readonly cause: RequeueCause
      readonly exit: WorkerExitCause | null
      readonly fromStep: number
      readonly failedAttempts: number
      readonly deathsAlone: number
      /** After `out_of_memory`: what was done about it. */
      readonly remedy?: MemoryRemedy
    }
  | { readonly type: 'jobPaused'; readonly jobId: JobId; readonly cause: PauseCause }
  /** It goes on; `deviceId` null = it waits in the queue again (QUEUED), else its tasks step there from now on (RUNNING or POSTPROCESSING, as it was). */
  | { readonly type: 'jobResumed'; readonly jobId: JobId; readonly deviceId: DeviceId | null }
  /** All its inference tasks are done. */
  | { readonly type: 'jobPostprocessing'; readonly jobId: JobId }
  /** `taskId`: the last task; the job's output is made of the outputs of all tasks that were not held. */
  | { readonly type: 'jobSucceeded'; readonly jobId: JobId; readonly taskId: TaskId }
  /** `taskId`: whose failure it was, if a task's; the shell adds the worker's words. */
  | {
      readonly type: 'jobFailed'
      readonly jobId: JobId
      readonly code: JobFailureCode
      readonly retryable: boolean
      readonly taskId: TaskId | null
      /** Of `OUT_OF_MEMORY`: what the device that was tried last had to give. */
      readonly memory?: MemoryFacts
    }
  | { readonly type: 'jobCancelled'; readonly jobId: JobId }
  /** The ledger changed: the row as it is now (released and rolled back ones are told once, last). */
  | { readonly type: 'allocationChanged'; readonly allocation: Allocation }
  | { readonly type: 'residencyChanged'; readonly residency: Residency }
  | {
      readonly type: 'residencyEnded'
      readonly residencyId: ResidencyId
      readonly versionId: VersionId
      readonly deviceId: DeviceId
      readonly reason: 'unloaded' | 'evicted' | 'worker_lost' | 'load_failed'
    }
  /** A pin could not be kept, or not begin: it is no wish any more. */
  | { readonly type: 'pinDropped'; readonly versionId: VersionId; readonly deviceId: DeviceId | null }
  /** Fire `timerFired` at this time; replaces an earlier wish. Null = none needed. */
  | { readonly type: 'setTimer'; readonly at: Millis | null }
