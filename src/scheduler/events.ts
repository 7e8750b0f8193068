/**
 * What the scheduler is told. An event is a fact with numbers; the time at which it was learnt is the `now` that
 * `step(state, event, now)` receives beside it. Texts, requests, outputs and tensors never pass through here.
 */
import type { DeviceId, JobId, Millis, SessionId, TaskId, UserId, VersionId, WorkerId } from './ids.ts'

export type PriorityClass = 'interactive' | 'batch'

/** A device as the ledger sees it. */
export interface DeviceSpec {
  readonly deviceId: DeviceId
  readonly name: string
  /** Bytes that Hearth may hand out on it. */
  readonly limitBytes: number
  readonly coreCount: number
  /** Threads that each of its workers computes with. */
  readonly workerThreads: number
}

/** One version of a model as far as placing and running it goes. */
export interface VersionSpec {
  readonly versionId: VersionId
  readonly modelName: string
  readonly engine: string
  /** Bytes of its weight files; mapped or allocated in full wherever it is resident. */
  readonly weightsBytes: number
  /** Planned private bytes beside the weights: KV cache (context x slots), arenas. Measured values replace it. */
  readonly workingBytes: number
  /** States that may share a step; the worker is admitted about twice as many. */
  readonly batchLimit: number
  readonly holdMs: number
  readonly interruptAfterMs: number
  /** Weight bytes of each component, in the manifest's order: a load is complete when all of them are there. */
  readonly componentBytes: readonly number[]
  /** Names of the components, for people; the scheduler goes by their places in the list. */
  readonly componentNames: readonly string[]
}

/** Of a job: `inference` tasks come to their ends before it is POSTPROCESSING. */
export type TaskStage = 'inference' | 'postprocessing'

export interface TaskSpec {
  readonly taskId: TaskId
  readonly versionId: VersionId
  /** Tasks of the same job that must have ended first; their outputs, where they are held, are its inputs. */
  readonly after: readonly TaskId[]
  readonly stage: TaskStage
  /** Its output stays in its worker, for the tasks that come after it. */
  readonly isHeld: boolean
  /** Places in `componentBytes` of its version: it may run as soon as these are loaded. */
  readonly components: readonly number[]
}

/** The newest saved state of a task; the bytes themselves are the shell's. */
export interface TaskCheckpoint {
  readonly taskId: TaskId
  /** Steps that lie behind it. */
  readonly step: number
}

export interface JobSpec {
  readonly jobId: JobId
  /** Null = nobody in particular: such jobs share as if they were one user's. */
  readonly userId: UserId | null
  readonly sessionId: SessionId | null
  /** Of its session among the sessions of its user: one of weight 2 gets twice the work of one of weight 1. */
  readonly weight: number
  /** Units that the request announces: steps times pictures, tokens, texts. Those of one version are comparable; 1 = unknown. */
  readonly work: number
  readonly class: PriorityClass
  readonly submittedAt: Millis
  readonly deadlineAt: Millis | null
  readonly tasks: readonly TaskSpec[]
}

/** What a job had behind it when the server stopped; it is fed again after a restart. */
export interface RecoveredJob extends JobSpec {
  /** Number of its latest attempt, from 1; 0 = it had never started. */
  readonly attempt: number
  /** Failed attempts that count towards the limit. */
  readonly failedAttempts: number
  /** Deaths of a worker in which it was alone. */
  readonly deathsAlone: number
  /** It was LOADING or RUNNING: JobRequeued has to supersede what was shown. */
  readonly wasActive: boolean
  readonly cancelRequested: boolean
  /** It had been asked to pause, and not to go on since. */
  readonly pauseRequested: boolean
  readonly checkpoints: readonly TaskCheckpoint[]
}

/**
 * Why a task could not go on; `retryable` is the worker's opinion. `stale_model`: the files of the model are not those it was loaded from any
 * more, so whatever was computed is discarded. `artifact_missing`: an input's file is gone. `input_missing`: the worker does not hold the output of an
 * earlier task (any more).
 */
export type TaskFailureCode =
  | 'out_of_memory'
  | 'engine_error'
  | 'deadline_exceeded'
  | 'invalid_request'
  | 'stale_model'
  | 'artifact_missing'
  | 'input_missing'

/** Why a job pauses. Only what somebody requested lasts until somebody resumes it. */
export type PauseCause = 'requested' | 'interactive_work' | 'memory_pressure'

export type TaskReport =
  | { readonly kind: 'started'; readonly taskId: TaskId }
  | { readonly kind: 'step'; readonly taskId: TaskId; readonly done: number; readonly total: number | null }
  /** `heldBytes`: of an output that stays in the worker; 0 for others. */
  | { readonly kind: 'done'; readonly taskId: TaskId; readonly stepsRun: number; readonly heldBytes: number }
  | { readonly kind: 'failed'; readonly taskId: TaskId; readonly code: TaskFailureCode; readonly retryable: boolean }
  | { readonly kind: 'cancelled'; readonly taskId: TaskId }
  | { readonly kind: 'withdrawn'; readonly taskId: TaskId }
  /** It is left out of steps; `stateBytes` = what its state takes in the worker. */
  | { readonly kind: 'paused'; readonly taskId: TaskId; readonly stateBytes: number }

/** `steps` steps of a node, of `states` states each, lasted `ms` on average. */
export interface StepSample {
  readonly node: string
  /** What makes steps of a node comparable: their inputs are of one shape. */
  readonly shape: string
  readonly states: number
  readonly steps: number
  readonly ms: number
  /** Private memory that the largest of them took, beside what there was before; null = not measured. */
  readonly peakBytes: number | null
}

export type WorkerExitCause = 'signal' | 'exit_code' | 'protocol_error' | 'spawn_failed' | 'requested'

export type SchedulerEvent =
  | { readonly type: 'deviceAdded'; readonly device: DeviceSpec }
  | { readonly type: 'versionRegistered'; readonly version: VersionSpec }
  /**
   * Other files lie at the version's place, or none, or the same ones with another content. What is resident goes on for as long as its worker finds
   * its own files unchanged; it is never loaded again, unless `versionRegistered` follows.
   */
  | { readonly type: 'versionReplaced'; readonly versionId: VersionId }
  /** The answer to `checkVersion`: its files were read again. `gone` = they are not this version any more, as `versionReplaced` says unasked. */
  | { readonly type: 'versionChecked'; readonly versionId: VersionId; readonly state: 'intact' | 'gone' }
  | { readonly type: 'jobsSubmitted'; readonly jobs: readonly JobSpec[] }
  | { readonly type: 'jobsRecovered'; readonly jobs: readonly RecoveredJob[] }
  | { readonly type: 'cancelRequested'; readonly jobId: JobId }
  /** Takes effect at the next step; asking again changes nothing. */
  | { readonly type: 'pauseRequested'; readonly jobId: JobId; readonly cause: PauseCause }
  | { readonly type: 'resumeRequested'; readonly jobId: JobId }
  /** `deviceId` null = wherever it fits best. */
  | { readonly type: 'loadRequested'; readonly versionId: VersionId; readonly deviceId: DeviceId | null }
  /** Waits for running tasks; a version that queued tasks need is loaded again for them. `deviceId` null = everywhere. */
  | { readonly type: 'unloadRequested'; readonly versionId: VersionId; readonly deviceId: DeviceId | null }
  /** Said hello. `privateBytes` = private anonymous memory of the fresh process. */
  | { readonly type: 'workerReady'; readonly workerId: WorkerId; readonly privateBytes: number }
  /** Reaped, and its stream read to the end: nothing more comes from it. */
  | { readonly type: 'workerExited'; readonly workerId: WorkerId; readonly cause: WorkerExitCause }
  | {
      readonly type: 'modelLoaded'
      readonly workerId: WorkerId
      readonly versionId: VersionId
      readonly loadMs: number
      readonly weightsBytes: number
      readonly privateBytes: number
    }
  /** One component of a version that is being loaded is there. `component`: its place in the version's list. */
  | {
      readonly type: 'componentLoaded'
      readonly workerId: WorkerId
      readonly versionId: VersionId
      readonly component: number
    }
  | {
      readonly type: 'modelLoadFailed'
      readonly workerId: WorkerId
      readonly versionId: VersionId
      readonly code: TaskFailureCode
      readonly retryable: boolean
    }
  | { readonly type: 'modelUnloaded'; readonly workerId: WorkerId; readonly versionId: VersionId }
  | { readonly type: 'stepsReported'; readonly workerId: WorkerId; readonly reports: readonly TaskReport[] }
  /** A state of the task is written down; from there it goes on should its worker be lost. */
  | { readonly type: 'taskCheckpointed'; readonly workerId: WorkerId; readonly taskId: TaskId; readonly step: number }
  /** How long steps of a worker lasted, and which did not fit into its memory; those were taken apart, and nothing of them was lost. */
  | {
      readonly type: 'stepsTimed'
      readonly workerId: WorkerId
      readonly versionId: VersionId
      readonly samples: readonly StepSample[]
      readonly tooLarge: readonly Pick<StepSample, 'node' | 'shape' | 'states'>[]
    }
  /** The worker steps no more until it is given the lease of its device again. */
  | { readonly type: 'leaseRevoked'; readonly workerId: WorkerId }
  /** It leaves what it is told unacknowledged, though it may only be busy. `workerAnswered` or `workerExited` follows. */
  | { readonly type: 'workerSuspected'; readonly workerId: WorkerId }
  | { readonly type: 'workerAnswered'; readonly workerId: WorkerId }
  /** The device does not answer any more, or is gone; its workers are of no use. */
  | { readonly type: 'deviceLost'; readonly deviceId: DeviceId }
  | { readonly type: 'deviceReturned'; readonly deviceId: DeviceId }
  /** Private anonymous bytes of a worker now. */
  | { readonly type: 'workerMeasured'; readonly workerId: WorkerId; readonly privateBytes: number }
  /** Memory of a device that is in use and that no allocation owns. */
  | {
      readonly type: 'deviceMeasured'
      readonly deviceId: DeviceId
      readonly externalBytes: number
      /** Share of the last seconds in which something stood still there for want of memory; 0 to 1. */
      readonly stallShare: number
    }
  /** It is to stay: on the device, or (null) on any. What does not fit beside what is pinned already is refused. Not pinned and null: nowhere any more. */
  | {
      readonly type: 'pinRequested'
      readonly versionId: VersionId
      readonly deviceId: DeviceId | null
      readonly pinned: boolean
    }
  /** Somebody is about to ask for it, within that time, and as likely as that (0 to 1). */
  | {
      readonly type: 'hintGiven'
      readonly versionId: VersionId
      readonly withinMs: Millis
      readonly probability: number
    }
  /** `versionId`: what it is about to ask for, if it has said so. */
  | { readonly type: 'sessionOpened'; readonly sessionId: SessionId; readonly versionId: VersionId | null }
  | { readonly type: 'sessionClosed'; readonly sessionId: SessionId }
  | { readonly type: 'timerFired' }
  /** The server stops: no new admissions; what runs may end. */
  | { readonly type: 'drainRequested' }
  /**
   * The first event after `restore`: workers, residencies and jobs of the former process are gone, devices and versions are to be announced again;
   * learnt values stay. From `firstRuntimeId` on, numbers for workers, residencies and allocations are free.
   */
  | { readonly type: 'serverRestarted'; readonly firstRuntimeId: number }
