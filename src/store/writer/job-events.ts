/** Events of jobs, and what they change in the job's row: one operation, so that row and log can never disagree. */
import type { JobId } from '../../scheduler/ids.ts'
import { eventColumns, patchColumns, sqlList, sqlName } from '../columns.ts'
import type { Connection } from '../opening/connection.ts'
import { type ArtifactRecord, isTerminal, type JobEvent, type JobPatch, type JobState } from '../records.ts'
import { dataOf } from '../rows.ts'
import { encodeArtifacts, prepareInsertArtifacts } from './artifacts.ts'
import { prepareDropCheckpoints } from './checkpoints.ts'
import type { MessageReader, Primitive } from './message-values.ts'

const toState = eventColumns.indexOf('toState')

export function encodeEvent(
  values: Primitive[],
  event: JobEvent,
  patch: JobPatch,
  output: Uint8Array | undefined,
  artifacts: readonly ArtifactRecord[] = [],
): void {
  const { sequence, jobId, attempt, at, from, to, body } = event
  // A clone copies the whole buffer beneath a view (64 KiB for a slice of a read), hence a copy of the view alone.
  values.push(sequence, jobId, attempt, body.kind, at, from, to, dataOf(body), output ? new Uint8Array(output) : null)
  encodeArtifacts(values, artifacts)
  encodePatch(values, jobId, patch)
}

/** The job, a bit for each column that changes, and the new values. */
export function encodePatch(values: Primitive[], jobId: JobId, patch: JobPatch): void {
  const mask = values.push(jobId, 0) - 1
  let bits = 0
  for (let bit = 0; bit < patchColumns.length; bit++) {
    const column = patchColumns[bit] as (typeof patchColumns)[number]
    const value = patch[column]
    if (value === undefined) continue
    bits |= 1 << bit
    values.push(typeof value === 'object' && value !== null ? JSON.stringify(value) : value)
  }
  values[mask] = bits
}

export function prepareRecordEvent(
  database: Connection,
  patchJob: (input: MessageReader) => void,
): (input: MessageReader) => void {
  const insertEvent = database.prepare<Primitive[]>(
    `INSERT INTO job_events (${sqlList(eventColumns)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const insertOutput = database.prepare<[Primitive, Primitive]>('INSERT OR REPLACE INTO job_outputs VALUES (?, ?)')
  const insertArtifacts = prepareInsertArtifacts(database)
  const dropCheckpoints = prepareDropCheckpoints(database)
  return (input) => {
    const event = input.take(eventColumns.length)
    const output = input.value()
    insertEvent.run(...event)
    if (output !== null) insertOutput.run(event[1] as number, output)
    insertArtifacts(input)
    patchJob(input)
    const to = event[toState] as JobState | null
    if (to !== null && isTerminal(to)) dropCheckpoints(event[1] as number)
  }
}

/** One statement for each set of columns that ever changes together: a dozen in practice. */
export function preparePatchJob(database: Connection): (input: MessageReader) => void {
  const updates = new Map<number, ReturnType<typeof prepareUpdate>>()
  function prepareUpdate(mask: number) {
    const columns = patchColumns.filter((_, bit) => (mask & (1 << bit)) !== 0)
    const assignments = columns.map((column) => `${sqlName(column)} = ?`).join(', ')
    return {
      count: columns.length,
      statement: database.prepare<Primitive[]>(`UPDATE jobs SET ${assignments} WHERE id = ?`),
    }
  }
  return (input) => {
    const jobId = input.number()
    const mask = input.number()
    if (mask === 0) return
    let update = updates.get(mask)
    if (!update) updates.set(mask, (update = prepareUpdate(mask)))
    const { changes } = update.statement.run(...input.take(update.count), jobId)
    if (changes !== 1) throw new Error(`Job ${jobId} is not in the database, so it cannot change.`)
  }
}
