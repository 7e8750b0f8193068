/** Every question that history answers, with its statement prepared when it is first asked. Rows are arrays in the order of columns.ts. */
import type { DecisionFilter } from '../../scheduler/explain/decisions.ts'
import type { AllocationId, ComponentId, DeviceId, JobId, SessionId, TaskId, VersionId } from '../../scheduler/ids.ts'
import {
  type AllocationRow,
  type ArtifactRow,
  allocationColumns,
  artifactColumns,
  type CheckpointRow,
  type ComponentRow,
  checkpointColumns,
  componentColumns,
  type DecisionRow,
  type DeviceRow,
  decisionColumns,
  deviceColumns,
  type EventRow,
  eventColumns,
  type JobRow,
  jobColumns,
  type ModelRow,
  modelColumns,
  type RegistrationRow,
  registrationColumns,
  type SessionRow,
  sessionColumns,
  sqlList,
  sqlName,
  type TaskRow,
  taskColumns,
  type VersionRow,
  versionColumns,
} from '../columns.ts'
import type { Connection } from '../opening/connection.ts'
import type { ArtifactId, ModelId } from '../records.ts'
import type { AllocationFilter, JobFilter, ModelFilter, PageRequest, SessionFilter } from '../store.ts'
import { allocationCondition, decisionCondition } from './history-filter.ts'
import { conditionOf } from './job-filter.ts'

export type Queries = ReturnType<typeof prepareQueries>
export type QueryName = keyof Queries

/** A page of events ends early at so many characters: a slow reader holds at most this much. */
const eventPageCharsMax = 256 * 1024
const maxId = Number.MAX_SAFE_INTEGER

export function prepareQueries(database: Connection) {
  const statements = new Map<string, ReturnType<typeof prepare>>()
  function prepare(sql: string) {
    return database.prepare<unknown[], unknown>(sql).raw()
  }
  function statement(sql: string) {
    let found = statements.get(sql)
    if (!found) statements.set(sql, (found = prepare(sql)))
    return found
  }
  const one = <Row>(sql: string, ...values: unknown[]) => (statement(sql).get(...values) ?? null) as Row | null
  const all = <Row>(sql: string, ...values: unknown[]) => statement(sql).all(...values) as Row[]
  const value = <Value>(sql: string, ...values: unknown[]) => one<[Value]>(sql, ...values)?.[0] ?? null
  const count = (sql: string, ...values: unknown[]) => value<number>(sql, ...values) ?? 0
  /** At least one, if there is one. */
  function eventsUpToLimit(sql: string, ...values: unknown[]): EventRow[] {
    const rows: EventRow[] = []
    let chars = 0
    for (const row of statement(sql).iterate(...values)) {
      rows.push(row as EventRow)
      chars += (row as EventRow)[7]?.length ?? 0
      if (chars >= eventPageCharsMax) break
    }
    return rows
  }

  return {
    job: (id: JobId) => one<JobRow>(`${selectJobs} WHERE id = ?`, id),
    jobByKey: (key: string) => one<JobRow>(`${selectJobs} WHERE idempotency_key = ?`, key),
    jobs(filter: JobFilter, { first, beforeId }: PageRequest) {
      const { sql, values } = conditionOf(filter)
      return all<JobRow>(
        `${selectJobs} WHERE ${sql} AND id < ? ORDER BY id DESC LIMIT ?`,
        ...values,
        beforeId ?? maxId,
        first,
      )
    },
    countJobs(filter: JobFilter) {
      const { sql, values } = conditionOf(filter)
      return count(`SELECT count(*) FROM jobs WHERE ${sql}`, ...values)
    },
    tasks: (jobId: JobId) =>
      all<TaskRow>(`SELECT ${sqlList(taskColumns)} FROM tasks WHERE job_id = ? ORDER BY id`, jobId),
    checkpoint: (taskId: TaskId) =>
      one<CheckpointRow>(`SELECT ${sqlList(checkpointColumns)} FROM checkpoints WHERE task_id = ?`, taskId),
    fingerprint: (id: JobId) => value<string>('SELECT fingerprint FROM jobs WHERE id = ?', id),
    request: (id: JobId) => value<string>('SELECT request FROM job_requests WHERE job_id = ?', id),
    output: (id: JobId) => value<Uint8Array>('SELECT output FROM job_outputs WHERE job_id = ?', id),

    events: (jobId: JobId, afterSequence: number, limit: number) =>
      eventsUpToLimit(
        `${selectEvents} WHERE job_id = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
        jobId,
        afterSequence,
        limit,
      ),
    eventPage: (jobId: JobId, first: number, beforeSequence: number | null) =>
      eventsUpToLimit(
        `${selectEvents} WHERE job_id = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?`,
        jobId,
        beforeSequence ?? maxId,
        first,
      ),
    countEvents: (jobId: JobId) => count('SELECT count(*) FROM job_events WHERE job_id = ?', jobId),
    /** Null: some of them may be deleted. */
    changes(afterSequence: number, limit: number) {
      const rows = all<EventRow>(
        `${selectEvents} WHERE to_state IS NOT NULL AND sequence > ? ORDER BY sequence LIMIT ?`,
        afterSequence,
        limit,
      )
      // Looked at afterwards, so that it tells of every deletion that the rows may lack.
      const deleted = value<number>('SELECT deleted_sequence FROM retention WHERE id = 1') ?? 0
      return afterSequence < deleted ? null : rows
    },

    session: (id: SessionId) => one<SessionRow>(`${selectSessions} WHERE id = ?`, id),
    sessions(filter: SessionFilter, { first, beforeId }: PageRequest) {
      const { sql, values } = sessionCondition(filter)
      return all<SessionRow>(
        `${selectSessions} WHERE ${sql} AND id < ? ORDER BY id DESC LIMIT ?`,
        ...values,
        beforeId ?? maxId,
        first,
      )
    },
    countSessions(filter: SessionFilter) {
      const { sql, values } = sessionCondition(filter)
      return count(`SELECT count(*) FROM sessions WHERE ${sql}`, ...values)
    },

    model: (id: ModelId) => one<ModelRow>(`${selectModels} WHERE id = ?`, id),
    models: ({ name, task }: ModelFilter) =>
      all<ModelRow>(
        `${selectModels} WHERE name = coalesce(?, name) AND task = coalesce(?, task) ORDER BY id DESC`,
        name ?? null,
        task ?? null,
      ),
    version: (id: VersionId) => one<VersionRow>(`${selectVersions} WHERE id = ?`, id),
    versions: (modelId: ModelId, { first, beforeId }: PageRequest) =>
      all<VersionRow>(
        `${selectVersions} WHERE model_id = ? AND id < ? ORDER BY id DESC LIMIT ?`,
        modelId,
        beforeId ?? maxId,
        first,
      ),
    countVersions: (modelId: ModelId) => count('SELECT count(*) FROM model_versions WHERE model_id = ?', modelId),
    components: (versionId: VersionId) =>
      all<ComponentRow>(`${selectComponents} WHERE version_id = ? ORDER BY id`, versionId),
    component: (id: ComponentId) => one<ComponentRow>(`${selectComponents} WHERE id = ?`, id),
    artifact: (id: ArtifactId) => one<ArtifactRow>(`${selectArtifacts} WHERE id = ?`, id),
    artifactsOfJob: (jobId: JobId) => all<ArtifactRow>(`${selectArtifacts} WHERE job_id = ? ORDER BY id`, jobId),
    inputsOfJob: (jobId: JobId) =>
      all<ArtifactRow>(
        `SELECT ${artifactsOfInputs} FROM artifact_inputs i JOIN artifacts a ON a.id = i.artifact_id WHERE i.job_id = ? ORDER BY i.id`,
        jobId,
      ),
    decision: (sequence: number) => one<DecisionRow>(`${selectDecisions} WHERE sequence = ?`, sequence),
    decisions(filter: DecisionFilter, { first, beforeId }: PageRequest) {
      const { sql, values } = decisionCondition(filter)
      return all<DecisionRow>(
        `${selectDecisions} WHERE ${sql} AND sequence < ? ORDER BY sequence DESC LIMIT ?`,
        ...values,
        beforeId ?? maxId,
        first,
      )
    },
    countDecisions(filter: DecisionFilter, beforeSequence: number) {
      const { sql, values } = decisionCondition(filter)
      return count(`SELECT count(*) FROM decisions WHERE ${sql} AND sequence < ?`, ...values, beforeSequence)
    },
    allocation: (id: AllocationId) => one<AllocationRow>(`${selectAllocations} WHERE id = ?`, id),
    allocations(filter: AllocationFilter, { first, beforeId }: PageRequest) {
      const { sql, values } = allocationCondition(filter)
      return all<AllocationRow>(
        `${selectAllocations} WHERE ${sql} AND id < ? ORDER BY id DESC LIMIT ?`,
        ...values,
        beforeId ?? maxId,
        first,
      )
    },
    countAllocations(filter: AllocationFilter) {
      const { sql, values } = allocationCondition(filter)
      return count(`SELECT count(*) FROM allocations WHERE ${sql}`, ...values)
    },
    registrations: () =>
      all<RegistrationRow>(`SELECT ${sqlList(registrationColumns)} FROM model_registrations ORDER BY name`),
    device: (id: DeviceId) => one<DeviceRow>(`SELECT ${sqlList(deviceColumns)} FROM devices WHERE id = ?`, id),
  }
}

const selectJobs = `SELECT ${sqlList(jobColumns)} FROM jobs`
const selectEvents = `SELECT ${sqlList(eventColumns)} FROM job_events`
const selectSessions = `SELECT ${sqlList(sessionColumns)} FROM sessions`
const selectModels = `SELECT ${sqlList(modelColumns)} FROM models`
const selectVersions = `SELECT ${sqlList(versionColumns)} FROM model_versions`
const selectArtifacts = `SELECT ${sqlList(artifactColumns)} FROM artifacts`
const artifactsOfInputs = artifactColumns.map((column) => `a.${sqlName(column)}`).join(', ')
const selectDecisions = `SELECT ${sqlList(decisionColumns)} FROM decisions`
const selectAllocations = `SELECT ${sqlList(allocationColumns)} FROM allocations`
const selectComponents = `SELECT ${sqlList(componentColumns)} FROM components`

function sessionCondition({ states, class: priorityClass }: SessionFilter) {
  const terms = ['TRUE']
  if (states?.includes('OPEN') === false) terms.push('closed_at IS NOT NULL')
  if (states?.includes('CLOSED') === false) terms.push('closed_at IS NULL')
  if (priorityClass !== undefined) terms.push('class = ?')
  return { sql: terms.join(' AND '), values: priorityClass === undefined ? [] : [priorityClass] }
}
