/** Which columns travel between the threads, in which order: rows are arrays, typed by the tables, named in SQL by the same lists. */
import type {
  allocations,
  artifacts,
  checkpoints,
  components,
  decisions,
  devices,
  jobEvents,
  jobs,
  modelRegistrations,
  models,
  modelVersions,
  sessions,
  tasks,
} from './tables.ts'

type RowOf<Table extends { $inferSelect: object }, Columns extends readonly (keyof Table['$inferSelect'])[]> = {
  readonly [Index in keyof Columns]: Table['$inferSelect'][Columns[Index]]
}

/** What a job keeps from its submission on, in the order in which the writer takes it. */
export const submittedColumns = [
  'id',
  'taskKind',
  'modelId',
  'versionId',
  'sessionId',
  'class',
  'idempotencyKey',
  'retryOf',
  'createdAt',
  'deadlineAt',
  'progressTotal',
  'progressUnit',
] as const satisfies readonly (keyof typeof jobs.$inferSelect)[]

/** What changes while it lives. */
export const patchColumns = [
  'state',
  'attempt',
  'failedAttempts',
  'deathsAlone',
  'cancelRequestedAt',
  'pauseRequestedAt',
  'pauseCause',
  'pausedAt',
  'pausedMs',
  'pausedWaitingMs',
  'deviceId',
  'loadingAt',
  'startedAt',
  'firstPartialAt',
  'postprocessingAt',
  'finishedAt',
  'progressDone',
  'progressTotal',
  'progressUnit',
  'failure',
] as const satisfies readonly (keyof typeof jobs.$inferSelect)[]

export const jobColumns = [
  'id',
  'taskKind',
  'modelId',
  'versionId',
  'sessionId',
  'class',
  'idempotencyKey',
  'retryOf',
  'createdAt',
  'deadlineAt',
  ...patchColumns,
] as const
export type JobRow = RowOf<typeof jobs, typeof jobColumns>

export const taskColumns = ['id', 'jobId', 'node', 'program', 'components', 'after', 'item', 'stage', 'isHeld'] as const
export type TaskRow = RowOf<typeof tasks, typeof taskColumns>

export const checkpointColumns = ['taskId', 'jobId', 'step', 'savedAt', 'saved'] as const
export type CheckpointRow = RowOf<typeof checkpoints, typeof checkpointColumns>

/** What is known of a checkpoint without its bytes. */
export const checkpointHeadColumns = ['taskId', 'jobId', 'step'] as const
export type CheckpointHeadRow = RowOf<typeof checkpoints, typeof checkpointHeadColumns>

export const eventColumns = ['sequence', 'jobId', 'attempt', 'kind', 'at', 'fromState', 'toState', 'data'] as const
export type EventRow = RowOf<typeof jobEvents, typeof eventColumns>

export const sessionColumns = [
  'id',
  'name',
  'class',
  'weight',
  'modelId',
  'idleTimeoutSeconds',
  'createdAt',
  'lastUsedAt',
  'closedAt',
] as const
export type SessionRow = RowOf<typeof sessions, typeof sessionColumns>

export const modelColumns = ['id', 'name', 'task'] as const
export type ModelRow = RowOf<typeof models, typeof modelColumns>

export const versionColumns = [
  'id',
  'modelId',
  'sha256',
  'state',
  'license',
  'manifest',
  'directory',
  'sizeBytes',
  'peakBytes',
  'registeredAt',
] as const
export type VersionRow = RowOf<typeof modelVersions, typeof versionColumns>

export const componentColumns = ['id', 'versionId', 'name', 'format', 'sizeBytes', 'sha256', 'dependsOn'] as const
export type ComponentRow = RowOf<typeof components, typeof componentColumns>

export const deviceColumns = ['id', 'name', 'kind'] as const
export type DeviceRow = RowOf<typeof devices, typeof deviceColumns>

export const artifactColumns = [
  'id',
  'sha256',
  'mimeType',
  'sizeBytes',
  'width',
  'height',
  'jobId',
  'createdAt',
] as const
export type ArtifactRow = RowOf<typeof artifacts, typeof artifactColumns>

export const registrationColumns = ['name', 'path', 'task', 'registeredAt'] as const
export type RegistrationRow = RowOf<typeof modelRegistrations, typeof registrationColumns>

export const decisionColumns = [
  'sequence',
  'at',
  'kind',
  'reason',
  'jobId',
  'versionId',
  'deviceId',
  'workerId',
  'forVersionId',
  'amount',
  'scheme',
  'scores',
] as const
export type DecisionRow = RowOf<typeof decisions, typeof decisionColumns>

export const allocationColumns = [
  'id',
  'deviceId',
  'purpose',
  'state',
  'predictedBytes',
  'sizeBytes',
  'measuredBytes',
  'workerId',
  'residencyId',
  'jobId',
  'createdAt',
  'releasedAt',
] as const
export type AllocationRow = RowOf<typeof allocations, typeof allocationColumns>

/** The name of a column in SQL (the `casing` of drizzle.config.ts); `after` is a word of SQL's own. */
export function sqlName(column: string): string {
  return `"${column.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}"`
}

export function sqlList(columns: readonly string[]): string {
  return columns.map(sqlName).join(', ')
}
