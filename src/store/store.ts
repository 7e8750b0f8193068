/**
 * What the server remembers, and how it may be asked. Writing happens in a thread of its own: everything of one tick becomes one commit
 * (WAL, synchronous=FULL), and a promise given here resolves after that commit. History is read on a read-only connection in another thread.
 */

import type { AllocationPurpose, AllocationState } from '../scheduler/commands.ts'
import type { PriorityClass, TaskCheckpoint } from '../scheduler/events.ts'
import type { Decision, DecisionFilter } from '../scheduler/explain/decisions.ts'
import type {
  AllocationId,
  ComponentId,
  DeviceId,
  JobId,
  Millis,
  SessionId,
  TaskId,
  VersionId,
} from '../scheduler/ids.ts'
import type {
  AllocationRecord,
  ArtifactId,
  ArtifactRecord,
  CheckpointRecord,
  ClosedAllocation,
  ComponentRecord,
  DeviceRecord,
  JobEvent,
  JobPatch,
  JobRecord,
  JobState,
  ModelId,
  ModelRecord,
  NewJob,
  RegistrationRecord,
  SessionRecord,
  TaskKind,
  TaskRecord,
  VersionRecord,
} from './records.ts'
import type {
  ArtifactRetention,
  DeletedArtifacts,
  DeletedJobs,
  HistoryRetention,
  JobRetention,
  WithdrawnPreviews,
} from './retention.ts'

/** Known after opening, before the first write. */
export interface Opening {
  /** First unused ids; the store has reserved what it hands out here, so that numbers shown before a crash never come again. */
  readonly nextJobId: number
  readonly nextTaskId: number
  readonly nextSessionId: number
  readonly nextArtifactId: number
  /** First number of a decision of this server process; nobody has had it, nor any after it. */
  readonly firstDecision: number
  /** Start of a block of a thousand million ids for workers, residencies and allocations of this server process. */
  readonly firstRuntimeId: number
  /** Oldest first. */
  readonly unfinished: readonly UnfinishedJob[]
  /** The last scheduler snapshot, JSON text. */
  readonly snapshot: string | null
}

/** A job that had not ended, with its tasks, and how far each of them was saved. */
export interface UnfinishedJob {
  readonly record: JobRecord
  readonly tasks: readonly TaskRecord[]
  readonly checkpoints: readonly TaskCheckpoint[]
}

export type SubmissionOutcome =
  /** In the order given; `isNew` false = the job that the key already named. */
  | { readonly kind: 'accepted'; readonly jobs: readonly { readonly record: JobRecord; readonly isNew: boolean }[] }
  /** The key at `index` names a job with another input; nothing was written. */
  | { readonly kind: 'conflict'; readonly index: number; readonly jobId: JobId }
  /** The job at `index` takes an artifact that is not (or no longer) there; nothing was written. */
  | { readonly kind: 'artifact_missing'; readonly index: number; readonly artifactId: ArtifactId }

/** Refused before anything was written: the queue of writes is full, or commits keep failing (`storage`). */
export class StoreOverloaded extends Error {
  override readonly name = 'StoreOverloaded'
  readonly limit: 'write_queue' | 'storage'
  readonly retryAfterMs: number
  constructor(limit: 'write_queue' | 'storage', retryAfterMs: number, message: string) {
    super(message)
    this.limit = limit
    this.retryAfterMs = retryAfterMs
  }
}

/** A cursor over the changes of all jobs that lies before what retention has deleted: whoever reads on would miss changes without knowing. */
export class CursorExpired extends Error {
  override readonly name = 'CursorExpired'
  constructor() {
    super('Changes after this cursor have been deleted. Read the list of jobs again, and go on from its changesCursor.')
  }
}

/** What is asked of a store after `close`, or was not written by it. */
export class StoreClosed extends Error {
  override readonly name = 'StoreClosed'
  constructor() {
    super('The store is closed.')
  }
}

export interface JobFilter {
  readonly sessionId?: SessionId
  readonly states?: readonly JobState[]
  readonly class?: PriorityClass
  readonly modelId?: ModelId
  readonly taskKind?: TaskKind
  readonly createdAfter?: Millis
  readonly createdBefore?: Millis
}
export interface SessionFilter {
  readonly states?: readonly ('OPEN' | 'CLOSED')[]
  readonly class?: PriorityClass
}
export interface ModelFilter {
  readonly name?: string
  readonly task?: string
}
export interface AllocationFilter {
  readonly deviceId?: DeviceId
  readonly jobId?: JobId
  readonly states?: readonly AllocationState[]
  readonly purposes?: readonly AllocationPurpose[]
}
export interface History {
  readonly decisions: readonly Decision[]
  readonly allocations: readonly ClosedAllocation[]
}
/** Newest first. `beforeId`: only rows with a smaller id (the keyset cursor). */
export interface PageRequest {
  readonly first: number
  readonly beforeId: number | null
}

export interface StoreMetrics {
  /** Rows to be written that no commit has taken yet. */
  readonly queuedOperations: number
  readonly commits: number
  readonly databaseBytes: number
  readonly walBytes: number
  /** Commits succeed. */
  readonly accepting: boolean
  /** Why the last commit failed. */
  readonly trouble: string | null
}

export interface Store {
  readonly opening: Opening
  /**
   * All or nothing; also writes the JobQueued event of each new job (its sequence is taken here) and publishes it after the commit. Records are
   * as new: QUEUED, attempt 0; those of new jobs come back as they were given. Rejects with StoreOverloaded.
   */
  submitJobs(jobs: readonly NewJob[]): Promise<SubmissionOutcome>
  /** A state change: row and event in one commit. Never refused: what was acknowledged must be able to end. Resolves after the commit. */
  changeJob(change: {
    readonly event: JobEvent
    readonly patch: JobPatch
    readonly output?: Uint8Array
    /** Their files are durable already; nobody sees them before this commit. */
    readonly artifacts?: readonly ArtifactRecord[]
  }): Promise<void>
  /**
   * An upload whose file is durable. Equal content of equal type that was uploaded before counts as used now, and is given back instead.
   * Rejects with StoreOverloaded (`storage`) while commits fail.
   */
  insertArtifact(artifact: ArtifactRecord): Promise<ArtifactRecord>
  /** Those of these contents (SHA-256) that no artifact has: in the order of writes, so what was inserted before is seen. */
  findUnusedContents(contents: readonly string[]): Promise<readonly string[]>
  /** Progress: rides along with the next commit, at most 50 ms later; at once when artifacts come with it, because nobody sees it before. */
  recordProgress(event: JobEvent, patch: JobPatch, artifacts?: readonly ArtifactRecord[]): Promise<void>
  /** The wish itself is durable before it is answered. Rejects with StoreOverloaded (`storage`) while commits fail. */
  recordCancelRequest(jobId: JobId, at: Millis): Promise<void>
  /** The same for pausing. `at` null = it is to go on. */
  recordPauseRequest(jobId: JobId, at: Millis | null): Promise<void>
  /**
   * Replaces the task's checkpoint before. Rides along behind what jobs write. Resolves when it or a newer one is committed, or when it is given up: its
   * job has ended, or too many bytes wait.
   */
  saveCheckpoint(checkpoint: CheckpointRecord): Promise<void>
  /** Deletes what was shown of these items of the job on their way. Never refused; the files are the caller's to remove, in the turn that hears of the commit. */
  withdrawPreviews(jobId: JobId, items: readonly number[]): Promise<WithdrawnPreviews>
  /** Rejects with StoreOverloaded (`storage`) while commits fail. */
  insertSession(session: SessionRecord): Promise<void>
  /** Rejects with StoreOverloaded (`storage`) while commits fail. */
  updateSession(id: SessionId, patch: Partial<Pick<SessionRecord, 'lastUsedAt' | 'closedAt'>>): Promise<void>
  /** Finds or inserts by name; ids are stable for ever. */
  registerDevice(name: string, kind: DeviceRecord['kind']): Promise<DeviceRecord>
  /** Finds or inserts model, version (by digest) and components. Versions of the model with other digests keep their rows. */
  registerVersion(
    model: Omit<ModelRecord, 'id'>,
    version: Omit<VersionRecord, 'id' | 'modelId'>,
    components: readonly Omit<ComponentRecord, 'id' | 'versionId'>[],
    /** A VERIFYING version that this one turned out to be: its row takes the digest, or goes where the version has a row already. */
    provisional?: VersionId | null,
  ): Promise<{ model: ModelRecord; version: VersionRecord; components: readonly ComponentRecord[] }>
  /** Inserts or replaces by name. Rejects with StoreOverloaded (`storage`) while commits fail. */
  saveRegistration(registration: RegistrationRecord): Promise<void>
  /** Rejects with StoreOverloaded (`storage`) while commits fail. */
  saveSnapshot(json: string): Promise<void>
  /** What was decided, and rows of the ledger that are closed. Rides along; never refused, so whoever writes sees to it that it stays little. */
  recordHistory(history: History): Promise<void>
  /** A step of deleting the oldest of it. */
  retainHistory(retention: HistoryRetention): Promise<{ readonly isDone: boolean }>
  /** A step of deleting what has been kept long enough; jobs that have not ended, and what they need, stay. */
  retainJobs(retention: JobRetention): Promise<DeletedJobs>
  retainArtifacts(retention: ArtifactRetention): Promise<DeletedArtifacts>
  /** A step of giving free pages back to the file system; resolves with how many are left. */
  vacuum(): Promise<number>
  /** State changes up to this number may have been deleted with their jobs: a cursor over all jobs before it has expired. */
  deletedSequence(): number
  /** Takes the next number of the event log; blocks of numbers are reserved by a committed row ahead of use. */
  nextSequence(): number
  /** The greatest number given out so far, by this process or one before it. */
  lastSequence(): number
  /** False: the block of this number is not committed yet, so its event may be shown only after its own commit. */
  isReserved(sequence: number): boolean
  /** Tells the one listener, the event log, the events of each commit: in their order, and before promises of that commit resolve. */
  onCommit(listener: (events: readonly JobEvent[]) => void): void

  readJob(id: JobId): Promise<JobRecord | null>
  readJobByKey(key: string): Promise<JobRecord | null>
  readJobs(filter: JobFilter, page: PageRequest): Promise<readonly JobRecord[]>
  countJobs(filter: JobFilter): Promise<number>
  readTasks(jobId: JobId): Promise<readonly TaskRecord[]>
  /** The newest, committed or not. */
  readCheckpoint(taskId: TaskId): Promise<CheckpointRecord | null>
  /** Of the input that a keyed job was submitted with; null without a key. */
  readFingerprint(id: JobId): Promise<string | null>
  readRequest(id: JobId): Promise<string | null>
  readOutput(id: JobId): Promise<Uint8Array | null>
  /** Committed events of a job with a greater sequence, in order; fewer than `limit` when they are large. None = there are no more. */
  readEvents(jobId: JobId, afterSequence: number, limit: number): Promise<readonly JobEvent[]>
  /** Newest first, for JobEventConnection; fewer than `first` when they are large, so only the job's first event, JobQueued, says that there are no more. */
  readEventPage(jobId: JobId, first: number, beforeSequence: number | null): Promise<readonly JobEvent[]>
  countEvents(jobId: JobId): Promise<number>
  /** Committed state changes of all jobs with a greater sequence, in order. Rejects with CursorExpired when some of them may be deleted. */
  readChanges(afterSequence: number, limit: number): Promise<readonly JobEvent[]>
  readSession(id: SessionId): Promise<SessionRecord | null>
  readSessions(filter: SessionFilter, page: PageRequest): Promise<readonly SessionRecord[]>
  countSessions(filter: SessionFilter): Promise<number>
  readModel(id: ModelId): Promise<ModelRecord | null>
  readModels(filter: ModelFilter): Promise<readonly ModelRecord[]>
  readVersion(id: VersionId): Promise<VersionRecord | null>
  /** Newest first. */
  readVersions(modelId: ModelId, page: PageRequest): Promise<readonly VersionRecord[]>
  countVersions(modelId: ModelId): Promise<number>
  readComponents(versionId: VersionId): Promise<readonly ComponentRecord[]>
  readComponent(id: ComponentId): Promise<ComponentRecord | null>
  readDevice(id: DeviceId): Promise<DeviceRecord | null>
  readArtifact(id: ArtifactId): Promise<ArtifactRecord | null>
  /** What the job has made, in the order of their ids. */
  readArtifactsOfJob(jobId: JobId): Promise<readonly ArtifactRecord[]>
  /** What the job takes, in the order given; those that are gone are left out. */
  readInputsOfJob(jobId: JobId): Promise<readonly ArtifactRecord[]>
  readDecision(sequence: number): Promise<Decision | null>
  /** Newest first, by sequence. */
  readDecisions(filter: DecisionFilter, page: PageRequest): Promise<readonly Decision[]>
  countDecisions(filter: DecisionFilter, beforeSequence: number): Promise<number>
  readAllocation(id: AllocationId): Promise<AllocationRecord | null>
  /** Those that are closed, newest first. */
  readAllocations(filter: AllocationFilter, page: PageRequest): Promise<readonly AllocationRecord[]>
  countAllocations(filter: AllocationFilter): Promise<number>
  /** By name. */
  readRegistrations(): Promise<readonly RegistrationRecord[]>

  readonly metrics: StoreMetrics
  /** Writes what is queued, checkpoints the log, gives back the folder lock. Rejects when something could not be written. */
  close(): Promise<void>
}
