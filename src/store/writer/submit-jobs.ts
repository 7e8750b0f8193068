/**
 * Submissions: all jobs of a unit or none. Keys are looked up before anything is written, so a conflict has nothing to undo. A key that the
 * unit itself repeats names the first job that has it.
 */
import type { JobId } from '../../scheduler/ids.ts'
import { eventColumns, type JobRow, jobColumns, sqlList, submittedColumns, taskColumns } from '../columns.ts'
import type { Connection } from '../opening/connection.ts'
import type { ArtifactId, JobEvent, NewJob } from '../records.ts'
import { jobOf } from '../rows.ts'
import type { SubmissionOutcome } from '../store.ts'
import { prepareArtifactInputs } from './artifacts.ts'
import type { MessageReader, Primitive } from './message-values.ts'

export type SubmissionResult =
  /** Rows of the jobs that were there already, by their place in the unit. */
  | { readonly kind: 'existing'; readonly rows: ReadonlyMap<number, JobRow> }
  | { readonly kind: 'conflict'; readonly index: number; readonly jobId: JobId }
  | { readonly kind: 'artifact_missing'; readonly index: number; readonly artifactId: ArtifactId }

/** `sequences`: the number of each job's JobQueued event. */
export function encodeSubmission(values: Primitive[], jobs: readonly NewJob[], sequences: readonly number[]): void {
  const hasKeys = jobs.some(({ record }) => record.idempotencyKey !== null)
  const hasInputs = jobs.some(({ artifactIds }) => artifactIds && artifactIds.length > 0)
  values.push(jobs.length, hasKeys ? 1 : 0, hasInputs ? 1 : 0)
  if (hasKeys) for (const { record, fingerprint } of jobs) values.push(record.idempotencyKey, fingerprint, record.id)
  if (hasInputs) for (const { artifactIds = [] } of jobs) values.push(artifactIds.length, ...artifactIds)
  for (let index = 0; index < jobs.length; index++) encodeJob(values, jobs[index] as NewJob, sequences[index] as number)
}

function encodeJob(values: Primitive[], { record, request, fingerprint, tasks }: NewJob, sequence: number): void {
  if (record.state !== 'QUEUED' || record.attempt !== 0)
    throw new Error(`Job ${record.id} is not new: ${record.state}, attempt ${record.attempt}.`)
  for (const column of submittedColumns) values.push(record[column])
  values.push(record.idempotencyKey === null ? null : fingerprint, request, sequence, tasks.length)
  for (const { id, node, program, components, after, item, stage, isHeld } of tasks) {
    const lists = [JSON.stringify(components), JSON.stringify(after)]
    values.push(id, node, program, ...lists, item, stage, isHeld ? 1 : 0)
  }
}

/** The JobQueued events that were written. */
export function queuedEvents(
  jobs: readonly NewJob[],
  sequences: readonly number[],
  result: SubmissionResult | undefined,
): JobEvent[] {
  if (result && result.kind !== 'existing') return []
  const events: JobEvent[] = []
  for (const [index, { record }] of jobs.entries()) {
    if (result?.rows.has(index)) continue
    const sequence = sequences[index] as number
    events.push({
      sequence,
      jobId: record.id,
      attempt: 0,
      at: record.createdAt,
      from: null,
      to: 'QUEUED',
      body: { kind: 'queued' },
    })
  }
  return events
}

export function outcomeOf(jobs: readonly NewJob[], result: SubmissionResult | undefined): SubmissionOutcome {
  if (result && result.kind !== 'existing') return result
  const accepted = jobs.map(({ record }, index) => {
    const existing = result?.rows.get(index)
    return existing ? { record: jobOf(existing), isNew: false } : { record, isNew: true }
  })
  return { kind: 'accepted', jobs: accepted }
}

/** Undefined as result: every job was new. */
export function prepareSubmitJobs(database: Connection): (input: MessageReader) => SubmissionResult | undefined {
  const jobValues = submittedColumns.length + 1
  const createdAt = submittedColumns.indexOf('createdAt')
  const insertJob = database.prepare<Primitive[]>(
    `INSERT INTO jobs (${sqlList(submittedColumns)}, fingerprint) VALUES (${'?, '.repeat(submittedColumns.length)}?)`,
  )
  const insertRequest = database.prepare<[number, string]>('INSERT INTO job_requests VALUES (?, ?)')
  const insertQueued = database.prepare<[number, number, number]>(
    `INSERT INTO job_events (${sqlList(eventColumns)}) VALUES (?, ?, 0, 'queued', ?, NULL, 'QUEUED', NULL)`,
  )
  const insertTask = database.prepare<Primitive[]>(
    `INSERT INTO tasks (${sqlList(taskColumns)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const findKey = database
    .prepare<[string], [JobId, string]>('SELECT id, fingerprint FROM jobs WHERE idempotency_key = ?')
    .raw()
  const inputs = prepareArtifactInputs(database)
  const readJob = database.prepare<[JobId], JobRow>(`SELECT ${sqlList(jobColumns)} FROM jobs WHERE id = ?`).raw()

  return (input) => {
    const jobCount = input.number()
    const hasKeys = input.number() === 1
    const hasInputs = input.number() === 1
    const named = hasKeys ? lookUpKeys(input, jobCount, (key) => findKey.get(key)) : noneNamed
    if ('kind' in named) return named
    const taken = hasInputs ? readInputs(input, jobCount) : noInputs
    const missing = firstMissing(taken, named)
    if (missing) return missing
    for (let index = 0; index < jobCount; index++) insert(input, !named.has(index), taken[index] ?? [])
    if (named.size === 0) return undefined
    const rows = new Map(Array.from(named, ([index, id]) => [index, readJob.get(id) as JobRow]))
    return { kind: 'existing', rows }
  }

  /** Jobs that exist already keep what they took. */
  function firstMissing(
    taken: readonly (readonly ArtifactId[])[],
    named: ReadonlyMap<number, JobId>,
  ): SubmissionResult | null {
    for (const [index, ids] of taken.entries()) {
      const artifactId = named.has(index) ? undefined : ids.find((id) => !inputs.exists(id))
      if (artifactId !== undefined) return { kind: 'artifact_missing', index, artifactId }
    }
    return null
  }

  /** Reads one job, and writes it if it is new. */
  function insert(input: MessageReader, isNew: boolean, taken: readonly ArtifactId[]): void {
    const job = input.take(jobValues)
    const request = input.text()
    const sequence = input.number()
    const taskCount = input.number()
    const id = job[0] as number
    if (isNew) {
      insertJob.run(...job)
      insertRequest.run(id, request)
      insertQueued.run(sequence, id, job[createdAt] as number)
      inputs.insert(id as JobId, taken, job[createdAt] as number)
    }
    for (let count = 0; count < taskCount; count++) {
      const [taskId = null, ...rest] = input.take(taskColumns.length - 1)
      if (isNew) insertTask.run(taskId, id, ...rest)
    }
  }
}

const noneNamed: ReadonlyMap<number, JobId> = new Map()
const noInputs: readonly (readonly ArtifactId[])[] = []

/** What each job of the unit takes. */
function readInputs(input: MessageReader, jobCount: number): readonly (readonly ArtifactId[])[] {
  return Array.from({ length: jobCount }, () => input.take(input.number()) as readonly ArtifactId[])
}

/** Which jobs of the unit exist already under their key, or the first that says something else under a key than its job did. */
function lookUpKeys(
  input: MessageReader,
  jobCount: number,
  find: (key: string) => [JobId, string] | undefined,
): ReadonlyMap<number, JobId> | SubmissionResult {
  const named = new Map<number, JobId>()
  const inUnit = new Map<string, [JobId, string]>()
  let conflict: SubmissionResult | null = null
  for (let index = 0; index < jobCount; index++) {
    const key = input.value()
    const fingerprint = input.text()
    const id = input.number() as JobId
    if (typeof key !== 'string' || conflict) continue
    const existing = inUnit.get(key) ?? find(key)
    if (!existing) inUnit.set(key, [id, fingerprint])
    else if (existing[1] === fingerprint) named.set(index, existing[0])
    else conflict = { kind: 'conflict', index, jobId: existing[0] }
  }
  return conflict ?? named
}
