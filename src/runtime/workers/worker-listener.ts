/** What the pool tells the rest of the server. Calls come one at a time, never from within a call of the pool, and never about a worker after its `workerExited`. */
import type { StepSample, TaskFailureCode, WorkerExitCause } from '../../scheduler/events.ts'
import type { TaskId, VersionId, WorkerId } from '../../scheduler/ids.ts'
import type { LogLevel } from './reports.ts'
import type { StepEntry } from './step-entries.ts'
import type { LargeStep } from './step-times.ts'

/** One thing that a worker reported of a task. */
export type ReportEntry = StepEntry

export interface WorkerFacts {
  /** Private anonymous memory of the fresh process. */
  readonly privateBytes: number
  readonly pid: number
  readonly programs: readonly string[]
  readonly capabilities: readonly string[]
  readonly versions: Readonly<Record<string, unknown>>
}

export interface LoadFacts {
  readonly loadMs: number
  /** Mapped or allocated for weights. */
  readonly weightsBytes: number
  /** Growth of private anonymous memory. */
  readonly privateBytes: number
}

export interface LoadFailure {
  readonly code: TaskFailureCode
  readonly message: string
  readonly retryable: boolean
}

export interface WorkerListener {
  workerReady(workerId: WorkerId, facts: WorkerFacts): void
  /** Reaped, and its stream read to the end. `detail`: what happened, for people. */
  workerExited(workerId: WorkerId, cause: WorkerExitCause, detail: string): void
  modelLoaded(workerId: WorkerId, versionId: VersionId, facts: LoadFacts): void
  modelLoadFailed(workerId: WorkerId, versionId: VersionId, failure: LoadFailure): void
  modelUnloaded(workerId: WorkerId, versionId: VersionId): void
  /** Before `modelLoaded`, once for each component. */
  componentLoaded(workerId: WorkerId, versionId: VersionId, component: string): void
  /** A state of a task, as its program saved it after so many steps; the bytes belong to the receiver. */
  taskCheckpointed(workerId: WorkerId, taskId: TaskId, step: number, saved: Uint8Array): void
  /** It steps no more until it is given the lease again. */
  leaseRevoked(workerId: WorkerId): void
  /** In the order in which the worker said it. Tensors in outputs are `{dtype, shape, data}` (see tensors.ts) and belong to the receiver. */
  stepsReported(workerId: WorkerId, entries: readonly ReportEntry[]): void
  /** How long steps of a model lasted, and which were too large for the worker's memory. */
  stepsTimed(
    workerId: WorkerId,
    versionId: VersionId,
    samples: readonly StepSample[],
    tooLarge: readonly LargeStep[],
  ): void
  /** Items in order; `creditLeft` = how many more may come before credit is given. */
  partial(workerId: WorkerId, taskId: TaskId, values: readonly unknown[], creditLeft: number): void
  /** It leaves frames unacknowledged, though it seems to do something; `workerAnswered` follows unless it ends first. */
  workerSuspected(workerId: WorkerId): void
  workerAnswered(workerId: WorkerId): void
  /** Private anonymous bytes now; told when they have changed by a mebibyte or more. */
  workerMeasured(workerId: WorkerId, privateBytes: number): void
  log(workerId: WorkerId, level: LogLevel, message: string): void
}
