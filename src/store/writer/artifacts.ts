/** Artifacts: written with the job that made them, or alone when uploaded; noted as inputs of the jobs that take them. */
import type { JobId, Millis } from '../../scheduler/ids.ts'
import { type ArtifactRow, artifactColumns, sqlList } from '../columns.ts'
import type { Connection } from '../opening/connection.ts'
import type { ArtifactId, ArtifactRecord } from '../records.ts'
import type { MessageReader, Primitive } from './message-values.ts'

const createdAt = artifactColumns.indexOf('createdAt')

export function encodeArtifacts(values: Primitive[], artifacts: readonly ArtifactRecord[]): void {
  values.push(artifacts.length)
  for (const artifact of artifacts) encodeArtifact(values, artifact)
}

export function encodeArtifact(values: Primitive[], artifact: ArtifactRecord): void {
  for (const column of artifactColumns) values.push(artifact[column])
}

/** Reads what `encodeArtifacts` wrote, and inserts it. */
export function prepareInsertArtifacts(database: Connection): (input: MessageReader) => void {
  const insert = prepareInsert(database)
  return (input) => {
    for (let count = input.number(); count > 0; count--) insert(input.take(artifactColumns.length))
  }
}

/** Undefined: it is new. Else the row of the upload that is there already. */
export function prepareInsertUpload(database: Connection): (input: MessageReader) => ArtifactRow | undefined {
  const insert = prepareInsert(database)
  const touchEqual = database
    .prepare<Primitive[], ArtifactRow>(
      `UPDATE artifacts SET last_used_at = max(last_used_at, ?)
       WHERE id = (SELECT min(id) FROM artifacts WHERE sha256 = ? AND mime_type = ? AND job_id IS NULL)
       RETURNING ${sqlList(artifactColumns)}`,
    )
    .raw()
  return (input) => {
    const row = input.take(artifactColumns.length)
    const [, sha256 = null, mimeType = null] = row
    const equal = touchEqual.get(row[createdAt] as Millis, sha256, mimeType)
    if (!equal) insert(row)
    return equal
  }
}

/** Of the contents given, those that no artifact has. */
export function prepareFindUnusedContents(database: Connection): (input: MessageReader) => string[] {
  const isUsed = prepareIsContentUsed(database)
  return (input) => {
    const unused: string[] = []
    for (let count = input.number(); count > 0; count--) {
      const sha256 = input.text()
      if (!isUsed(sha256)) unused.push(sha256)
    }
    return unused
  }
}

export function prepareIsContentUsed(database: Connection): (sha256: string) => boolean {
  const find = database.prepare<[string], number>('SELECT 1 FROM artifacts WHERE sha256 = ? LIMIT 1').pluck()
  return (sha256) => find.get(sha256) !== undefined
}

export interface ArtifactInputs {
  exists(id: ArtifactId): boolean
  /** Notes what the job takes; that counts as use. */
  insert(jobId: JobId, ids: readonly ArtifactId[], at: Millis): void
}

export function prepareArtifactInputs(database: Connection): ArtifactInputs {
  const find = database.prepare<[ArtifactId], number>('SELECT 1 FROM artifacts WHERE id = ?').pluck()
  const insert = database.prepare<[JobId, ArtifactId]>(
    'INSERT INTO artifact_inputs (job_id, artifact_id) VALUES (?, ?)',
  )
  const touch = database.prepare<[Millis, ArtifactId]>(
    'UPDATE artifacts SET last_used_at = max(last_used_at, ?) WHERE id = ?',
  )
  return {
    exists: (id) => find.get(id) !== undefined,
    insert(jobId, ids, at) {
      for (const id of ids) {
        insert.run(jobId, id)
        touch.run(at, id)
      }
    },
  }
}

function prepareInsert(database: Connection): (row: readonly Primitive[]) => void {
  const insert = database.prepare<Primitive[]>(
    `INSERT INTO artifacts (${sqlList(artifactColumns)}, last_used_at) VALUES (${'?, '.repeat(artifactColumns.length)}?)`,
  )
  return (row) => void insert.run(...row, row[createdAt] as Millis)
}
