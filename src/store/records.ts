/**
 * The rows of the store as the rest of the server sees them. Times are milliseconds since the Unix epoch; JSON columns arrive parsed,
 * except `request` and `output`, which are large and are parsed only by who needs them.
 */
import type { Allocation, JobFailureCode, RequeueCause } from '../scheduler/commands.ts'
import type { PauseCause, PriorityClass, TaskStage } from '../scheduler/events.ts'
import type { ComponentId, DeviceId, JobId, Millis, SessionId, TaskId, VersionId } from '../scheduler/ids.ts'

export type JobState =
  | 'QUEUED'
  | 'LOADING'
  | 'RUNNING'
  | 'PAUSED'
  | 'POSTPROCESSING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'CANCELLED'
export const terminalStates = ['SUCCEEDED', 'FAILED', 'CANCELLED'] as const satisfies readonly JobState[]

export function isTerminal(state: JobState): boolean {
  return state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED'
}

export type TaskKind =
  | 'textToImage'
  | 'generateText'
  | 'embedText'
  | 'classifyImage'
  | 'upscaleImage'
  | 'infer'
  | 'program'
export type ProgressUnit = 'STEPS' | 'TOKENS' | 'ITEMS'

export interface JobFailure {
  readonly code: JobFailureCode
  readonly message: string
  readonly retryable: boolean
}

export interface JobRecord {
  readonly id: JobId
  readonly taskKind: TaskKind
  readonly modelId: ModelId
  readonly versionId: VersionId
  readonly sessionId: SessionId | null
  readonly class: PriorityClass
  readonly idempotencyKey: string | null
  readonly retryOf: JobId | null
  readonly createdAt: Millis
  readonly deadlineAt: Millis | null
  /** What changes while it lives; replaced only after the commit of the change, so that nobody reads what could still be lost. */
  state: JobState
  attempt: number
  failedAttempts: number
  deathsAlone: number
  cancelRequestedAt: Millis | null
  /** It is to be paused, or is: null again when it was asked to go on. */
  pauseRequestedAt: Millis | null
  pauseCause: PauseCause | null
  /** Since when it is PAUSED; null at other times. */
  pausedAt: Millis | null
  /** All earlier pauses together, milliseconds. */
  pausedMs: number
  /** Of these, what lay before it (last) began to load or run. */
  pausedWaitingMs: number
  deviceId: DeviceId | null
  loadingAt: Millis | null
  startedAt: Millis | null
  firstPartialAt: Millis | null
  /** Since when only postprocessing is left. */
  postprocessingAt: Millis | null
  finishedAt: Millis | null
  progressDone: number
  progressTotal: number | null
  progressUnit: ProgressUnit | null
  failure: JobFailure | null
}
export type JobPatch = Partial<
  Pick<
    JobRecord,
    | 'state'
    | 'attempt'
    | 'failedAttempts'
    | 'deathsAlone'
    | 'cancelRequestedAt'
    | 'pauseRequestedAt'
    | 'pauseCause'
    | 'pausedAt'
    | 'pausedMs'
    | 'pausedWaitingMs'
    | 'deviceId'
    | 'loadingAt'
    | 'startedAt'
    | 'firstPartialAt'
    | 'postprocessingAt'
    | 'finishedAt'
    | 'progressDone'
    | 'progressTotal'
    | 'progressUnit'
    | 'failure'
  >
>

/** The node of a job's graph; `program` and `components` are the manifest's names. */
export interface TaskRecord {
  readonly id: TaskId
  readonly jobId: JobId
  readonly node: string
  readonly program: string
  readonly components: readonly string[]
  readonly after: readonly TaskId[]
  /** Which of the job's pictures it works on, from 0; 0 for what is done once for all of them. */
  readonly item: number
  readonly stage: TaskStage
  /** Its output stays in its worker for the tasks that come after it. */
  readonly isHeld: boolean
}

/** The newest saved state of a task, kept until its job ends. */
export interface CheckpointRecord {
  readonly taskId: TaskId
  readonly jobId: JobId
  /** Steps that lie behind it. */
  readonly step: number
  readonly saved: Uint8Array
  readonly savedAt: Millis
}

/** A job to be written. `request` is the accepted task with defaults filled in, as JSON text; `fingerprint` digests the input as sent (with schema defaults). */
export interface NewJob {
  readonly record: JobRecord
  readonly request: string
  readonly fingerprint: string
  readonly tasks: readonly TaskRecord[]
  /** What it takes as input: kept until it has ended. */
  readonly artifactIds?: readonly ArtifactId[]
}

export type ArtifactId = number & { readonly __brand: 'ArtifactId' }
/** A file addressed by its content, as somebody made or uploaded it. */
export interface ArtifactRecord {
  readonly id: ArtifactId
  /** 64 lower-case hex digits: names the file too. */
  readonly sha256: string
  /** With parameters where they say how to read it, e.g. `application/vnd.hearth.tensor; dtype=float32; shape=1000x384`. */
  readonly mimeType: string
  readonly sizeBytes: number
  /** Pixels; null for what is no picture. */
  readonly width: number | null
  readonly height: number | null
  /** The job that made it; null = uploaded. */
  readonly jobId: JobId | null
  readonly createdAt: Millis
}

/** A model that somebody registered by path, beside those that stand in the model folders. */
export interface RegistrationRecord {
  readonly name: string
  /** Absolute: a folder with a manifest, or one model file. */
  readonly path: string
  /** As asked for; null = what the file says. */
  readonly task: string | null
  readonly registeredAt: Millis
}

export type ModelId = number & { readonly __brand: 'ModelId' }
export interface ModelRecord {
  readonly id: ModelId
  readonly name: string
  readonly task: string
}
export interface VersionRecord {
  readonly id: VersionId
  readonly modelId: ModelId
  /** 64 hex digits over the content; the API's version is the first 12. */
  readonly sha256: string
  /** VERIFYING: its files are still being read, and `sha256` stands for a digest that is not known yet. */
  readonly state: 'READY' | 'VERIFYING' | 'REFUSED' | 'REMOVED'
  readonly license: string | null
  /** The manifest as JSON text. */
  readonly manifest: string
  readonly directory: string
  readonly sizeBytes: number
  readonly peakBytes: number
  readonly registeredAt: Millis
}
export interface ComponentRecord {
  readonly id: ComponentId
  readonly versionId: VersionId
  readonly name: string
  readonly format: string
  readonly sizeBytes: number
  readonly sha256: string
  readonly dependsOn: readonly string[]
}
export interface DeviceRecord {
  readonly id: DeviceId
  readonly name: string
  readonly kind: 'CPU' | 'GPU' | 'NPU'
}
export interface SessionRecord {
  readonly id: SessionId
  readonly name: string | null
  readonly class: PriorityClass
  readonly weight: number
  readonly modelId: ModelId | null
  readonly idleTimeoutSeconds: number
  readonly createdAt: Millis
  lastUsedAt: Millis
  closedAt: Millis | null
}

/** A row of the memory ledger, with when it was opened and, once it is closed, when that was. */
export type AllocationRecord = Allocation & { readonly createdAt: Millis; readonly releasedAt: Millis | null }
/** One that is closed, as it is kept. */
export type ClosedAllocation = AllocationRecord & { readonly releasedAt: Millis }

/** What is said of a job, in order. State changes carry `from` and `to`; progress does not. */
export type JobEventBody =
  | { readonly kind: 'queued' }
  | { readonly kind: 'loading'; readonly deviceId: DeviceId }
  | { readonly kind: 'started'; readonly deviceId: DeviceId }
  | { readonly kind: 'paused'; readonly cause: PauseCause; readonly message: string }
  | { readonly kind: 'resumed'; readonly deviceId: DeviceId | null }
  | { readonly kind: 'postprocessing' }
  | { readonly kind: 'requeued'; readonly cause: RequeueCause; readonly failure: JobFailure; readonly fromStep: number }
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly failure: JobFailure }
  | {
      readonly kind: 'cancelled'
      readonly progressDone: number | null
      readonly progressTotal: number | null
      readonly progressUnit: ProgressUnit | null
      readonly message: string
    }
  | { readonly kind: 'step'; readonly item: number; readonly step: number; readonly totalSteps: number }
  | { readonly kind: 'preview'; readonly item: number; readonly step: number; readonly artifactId: ArtifactId }
  /** `offset` in UTF-16 code units. */
  | { readonly kind: 'text'; readonly item: number; readonly offset: number; readonly text: string }
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
export type JobEventKind = JobEventBody['kind']

export interface JobEvent {
  /** Rises over the whole life of the data folder, so over a job's too; never reused. */
  readonly sequence: number
  readonly jobId: JobId
  readonly attempt: number
  readonly at: Millis
  readonly from: JobState | null
  readonly to: JobState | null
  readonly body: JobEventBody
}
