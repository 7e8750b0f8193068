/**
 * The database, as drizzle-kit reads it to write `migrations/`. At run time only its types are used: the statements of the hot paths are
 * SQL text, prepared once, and importing drizzle would take longer than opening the store. Times are milliseconds since the Unix epoch.
 * `autoIncrement` is what keeps ids from ever being given twice, even after rows were deleted.
 */
import { sql } from 'drizzle-orm'
import {
  type AnySQLiteColumn,
  blob,
  index,
  integer,
  real,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core'
import type { AllocationPurpose, AllocationState } from '../scheduler/commands.ts'
import type { PauseCause, PriorityClass, TaskStage } from '../scheduler/events.ts'
import type { DecisionKind, DecisionReason } from '../scheduler/explain/decisions.ts'
import type { ScoreScheme } from '../scheduler/explain/scores.ts'
import type {
  AllocationId,
  ComponentId,
  DeviceId,
  JobId,
  ResidencyId,
  SessionId,
  TaskId,
  VersionId,
  WorkerId,
} from '../scheduler/ids.ts'
import type {
  ArtifactId,
  DeviceRecord,
  JobEventKind,
  JobState,
  ModelId,
  ProgressUnit,
  TaskKind,
  VersionRecord,
} from './records.ts'

export const devices = sqliteTable('devices', {
  id: integer().primaryKey({ autoIncrement: true }).$type<DeviceId>(),
  name: text().notNull().unique(),
  kind: text().notNull().$type<DeviceRecord['kind']>(),
})

export const models = sqliteTable('models', {
  id: integer().primaryKey({ autoIncrement: true }).$type<ModelId>(),
  name: text().notNull().unique(),
  task: text().notNull(),
})

export const modelVersions = sqliteTable(
  'model_versions',
  {
    id: integer().primaryKey({ autoIncrement: true }).$type<VersionId>(),
    modelId: reference(() => models.id).$type<ModelId>(),
    sha256: text().notNull(),
    state: text().notNull().$type<VersionRecord['state']>(),
    license: text(),
    manifest: text().notNull(),
    directory: text().notNull(),
    sizeBytes: integer().notNull(),
    peakBytes: integer().notNull(),
    registeredAt: integer().notNull(),
  },
  (table) => [uniqueIndex('model_versions_digest').on(table.modelId, table.sha256)],
)

export const components = sqliteTable(
  'components',
  {
    id: integer().primaryKey({ autoIncrement: true }).$type<ComponentId>(),
    versionId: reference(() => modelVersions.id).$type<VersionId>(),
    name: text().notNull(),
    format: text().notNull(),
    sizeBytes: integer().notNull(),
    sha256: text().notNull(),
    /** JSON: names of components of the same version. */
    dependsOn: text().notNull(),
  },
  (table) => [uniqueIndex('components_name').on(table.versionId, table.name)],
)

export const sessions = sqliteTable(
  'sessions',
  {
    id: integer().primaryKey({ autoIncrement: true }).$type<SessionId>(),
    name: text(),
    class: text().notNull().$type<PriorityClass>(),
    weight: real().notNull(),
    modelId: integer()
      .references(() => models.id)
      .$type<ModelId>(),
    idleTimeoutSeconds: integer().notNull(),
    createdAt: integer().notNull(),
    lastUsedAt: integer().notNull(),
    closedAt: integer(),
  },
  (table) => [index('sessions_open').on(table.id).where(sql`closed_at IS NULL`)],
)

/** Kept narrow: a state change rewrites the whole row, so what is large lives in tables of its own. */
export const jobs = sqliteTable(
  'jobs',
  {
    id: integer().primaryKey({ autoIncrement: true }).$type<JobId>(),
    taskKind: text().notNull().$type<TaskKind>(),
    modelId: reference(() => models.id).$type<ModelId>(),
    versionId: reference(() => modelVersions.id).$type<VersionId>(),
    sessionId: integer()
      .references(() => sessions.id)
      .$type<SessionId>(),
    class: text().notNull().$type<PriorityClass>(),
    idempotencyKey: text(),
    /** Of the input as sent; kept where there is a key to compare it for. */
    fingerprint: text(),
    retryOf: integer().$type<JobId>(),
    createdAt: integer().notNull(),
    deadlineAt: integer(),
    state: text().notNull().default('QUEUED').$type<JobState>(),
    attempt: integer().notNull().default(0),
    failedAttempts: integer().notNull().default(0),
    deathsAlone: integer().notNull().default(0),
    cancelRequestedAt: integer(),
    pauseRequestedAt: integer(),
    pauseCause: text().$type<PauseCause>(),
    pausedAt: integer(),
    pausedMs: integer().notNull().default(0),
    pausedWaitingMs: integer().notNull().default(0),
    deviceId: integer().$type<DeviceId>(),
    loadingAt: integer(),
    startedAt: integer(),
    firstPartialAt: integer(),
    postprocessingAt: integer(),
    finishedAt: integer(),
    progressDone: real().notNull().default(0),
    progressTotal: real(),
    progressUnit: text().$type<ProgressUnit>(),
    /** JSON. */
    failure: text(),
  },
  (table) => [
    uniqueIndex('jobs_key').on(table.idempotencyKey).where(sql`idempotency_key IS NOT NULL`),
    index('jobs_session').on(table.sessionId).where(sql`session_id IS NOT NULL`),
    index('jobs_unfinished').on(table.id).where(sql`finished_at IS NULL`),
    index('jobs_unsuccessful').on(table.state).where(sql`state IN ('FAILED', 'CANCELLED')`),
  ],
)

export const jobRequests = sqliteTable('job_requests', {
  jobId: integer()
    .primaryKey()
    .references(() => jobs.id, { onDelete: 'cascade' })
    .$type<JobId>(),
  /** JSON. */
  request: text().notNull(),
})

export const jobOutputs = sqliteTable('job_outputs', {
  jobId: integer()
    .primaryKey()
    .references(() => jobs.id, { onDelete: 'cascade' })
    .$type<JobId>(),
  output: blob({ mode: 'buffer' }).notNull(),
})

export const tasks = sqliteTable(
  'tasks',
  {
    id: integer().primaryKey({ autoIncrement: true }).$type<TaskId>(),
    jobId: ofJob().$type<JobId>(),
    node: text().notNull(),
    program: text().notNull(),
    /** JSON: names. */
    components: text().notNull(),
    /** JSON: task ids. */
    after: text().notNull(),
    item: integer().notNull().default(0),
    stage: text().notNull().default('inference').$type<TaskStage>(),
    /** 1 = its output stays in its worker. */
    isHeld: integer().notNull().default(0),
  },
  (table) => [index('tasks_job').on(table.jobId)],
)

/** The newest saved state of each task, until its job ends. The blob is last, so that the rest is read without it. */
export const checkpoints = sqliteTable(
  'checkpoints',
  {
    taskId: integer().primaryKey().$type<TaskId>(),
    jobId: ofJob().$type<JobId>(),
    step: integer().notNull(),
    savedAt: integer().notNull(),
    saved: blob({ mode: 'buffer' }).notNull(),
  },
  (table) => [index('checkpoints_job').on(table.jobId)],
)

/** The event log of every job, in the one order of their numbers. An index ends with the row's number, so `job_events_job` serves (job, sequence). */
export const jobEvents = sqliteTable(
  'job_events',
  {
    sequence: integer().primaryKey(),
    jobId: ofJob().$type<JobId>(),
    attempt: integer().notNull(),
    kind: text().notNull().$type<JobEventKind>(),
    at: integer().notNull(),
    fromState: text().$type<JobState>(),
    /** Set for state changes, null for progress. */
    toState: text().$type<JobState>(),
    /** JSON: the rest of the event; null where its kind says everything. */
    data: text(),
  },
  (table) => [
    index('job_events_job').on(table.jobId),
    index('job_events_changes').on(table.sequence).where(sql`to_state IS NOT NULL`),
  ],
)

/** Files addressed by content; several artifacts may share one file. A job's go with its job or earlier; uploads have no job. */
export const artifacts = sqliteTable(
  'artifacts',
  {
    id: integer().primaryKey({ autoIncrement: true }).$type<ArtifactId>(),
    sha256: text().notNull(),
    mimeType: text().notNull(),
    sizeBytes: integer().notNull(),
    width: integer(),
    height: integer(),
    /** The job that made it; null = uploaded. */
    jobId: integer()
      .references(() => jobs.id, { onDelete: 'cascade' })
      .$type<JobId>(),
    createdAt: integer().notNull(),
    /** Uploading equal content again, or submitting a job with it, counts as use. */
    lastUsedAt: integer().notNull(),
  },
  (table) => [
    index('artifacts_content').on(table.sha256),
    index('artifacts_job').on(table.jobId).where(sql`job_id IS NOT NULL`),
    index('artifacts_last_used').on(table.lastUsedAt),
  ],
)

/** Artifacts that a job takes as input: not deleted before it has ended. */
export const artifactInputs = sqliteTable(
  'artifact_inputs',
  {
    id: integer().primaryKey(),
    jobId: ofJob().$type<JobId>(),
    artifactId: integer().notNull().$type<ArtifactId>(),
  },
  (table) => [index('artifact_inputs_job').on(table.jobId), index('artifact_inputs_artifact').on(table.artifactId)],
)

/** What somebody registered by path; looked at again at every start. */
export const modelRegistrations = sqliteTable('model_registrations', {
  name: text().primaryKey(),
  /** Absolute: a folder with a manifest, or one model file. */
  path: text().notNull(),
  /** As asked for; null = what the file says. */
  task: text(),
  registeredAt: integer().notNull(),
})

/** One row: how far retention has come. */
export const retention = sqliteTable('retention', {
  id: integer().primaryKey(),
  /** Events up to this number may have been deleted with their jobs: an older cursor over all jobs has expired. */
  deletedSequence: integer().notNull(),
})

/** Numbers that are given out in memory: `reserved` is the first that no block has covered yet. */
export const sequenceBlocks = sqliteTable('sequence_blocks', {
  name: text().primaryKey(),
  reserved: integer().notNull(),
})

/** One row: the scheduler's last snapshot. */
export const schedulerSnapshots = sqliteTable('scheduler_snapshots', {
  id: integer().primaryKey(),
  savedAt: integer().notNull(),
  /** JSON. */
  snapshot: text().notNull(),
})

/** What the scheduler has decided, as numbers; bounded. It refers to rows that may be gone. */
export const decisions = sqliteTable(
  'decisions',
  {
    sequence: integer().primaryKey(),
    at: integer().notNull(),
    kind: text().notNull().$type<DecisionKind>(),
    reason: text().notNull().$type<DecisionReason>(),
    jobId: integer().$type<JobId>(),
    versionId: integer().$type<VersionId>(),
    deviceId: integer().$type<DeviceId>(),
    workerId: integer().$type<WorkerId>(),
    forVersionId: integer().$type<VersionId>(),
    amount: real(),
    scheme: text().notNull().$type<ScoreScheme>(),
    /** JSON: of each alternative, winner first, its device, its version and its parts; null where there was no choice. */
    scores: text(),
  },
  (table) => [
    index('decisions_job').on(table.jobId).where(sql`job_id IS NOT NULL`),
    index('decisions_version').on(table.versionId).where(sql`version_id IS NOT NULL`),
    index('decisions_kind').on(table.kind),
  ],
)

/** Rows of the memory ledger that are closed; bounded. Those that are open live in the scheduler. */
export const allocations = sqliteTable(
  'allocations',
  {
    id: integer().primaryKey().$type<AllocationId>(),
    deviceId: integer().notNull().$type<DeviceId>(),
    purpose: text().notNull().$type<AllocationPurpose>(),
    state: text().notNull().$type<AllocationState>(),
    predictedBytes: integer().notNull(),
    sizeBytes: integer().notNull(),
    measuredBytes: integer(),
    workerId: integer().$type<WorkerId>(),
    residencyId: integer().$type<ResidencyId>(),
    jobId: integer().$type<JobId>(),
    createdAt: integer().notNull(),
    releasedAt: integer().notNull(),
  },
  (table) => [
    index('allocations_job').on(table.jobId).where(sql`job_id IS NOT NULL`),
    index('allocations_released').on(table.releasedAt, table.id),
  ],
)

function reference(column: () => AnySQLiteColumn) {
  return integer().notNull().references(column)
}

/** Goes with its job. */
function ofJob() {
  return integer()
    .notNull()
    .references(() => jobs.id, { onDelete: 'cascade' })
}
