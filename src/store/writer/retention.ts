/**
 * Deleting what has been kept long enough, oldest first, in steps so small that no job waits for one: each looks at a bounded number of rows and ends
 * early when it has taken its time. What jobs that have not ended take as input, or have shown of themselves, is never deleted.
 */
import type { JobId, Millis } from '../../scheduler/ids.ts'
import type { Connection } from '../opening/connection.ts'
import type { ArtifactId } from '../records.ts'
import type { ArtifactRetention, DeletedArtifacts, DeletedJobs, JobRetention } from '../retention.ts'
import { prepareIsContentUsed } from './artifacts.ts'
import type { MessageReader, Primitive } from './message-values.ts'

/** A step holds up commits for about so long. */
const stepMsMax = 10
const jobsLookedAtMax = 200
const artifactsPerStep = 100
/** Pages that a step gives back to the file system. */
const vacuumPages = 256

export function encodeJobRetention(
  values: Primitive[],
  { afterId, endedBefore, endedBeforeIfFull, bytesMax }: JobRetention,
): void {
  values.push(afterId, endedBefore, endedBeforeIfFull, bytesMax)
}

export function encodeArtifactRetention(
  values: Primitive[],
  { usedBefore, usedBeforeIfFull, bytesToFree }: ArtifactRetention,
): void {
  values.push(usedBefore, usedBeforeIfFull, bytesToFree)
}

export function prepareRetainJobs(database: Connection): (input: MessageReader) => DeletedJobs {
  const candidates = database
    .prepare<[number, number], [JobId, Millis, Millis | null]>(
      'SELECT id, created_at, finished_at FROM jobs WHERE id > ? ORDER BY id LIMIT ?',
    )
    .raw()
  const isNeeded = database
    .prepare<[JobId], number>(
      `SELECT 1 FROM artifacts a JOIN artifact_inputs i ON i.artifact_id = a.id JOIN jobs j ON j.id = i.job_id
       WHERE a.job_id = ? AND j.finished_at IS NULL LIMIT 1`,
    )
    .pluck()
  const lastChange = database
    .prepare<[JobId], number | null>('SELECT max(sequence) FROM job_events WHERE job_id = ? AND to_state IS NOT NULL')
    .pluck()
  const artifactsOf = database
    .prepare<[JobId], [string, number]>('SELECT sha256, size_bytes FROM artifacts WHERE job_id = ?')
    .raw()
  const remove = database.prepare<[JobId]>('DELETE FROM jobs WHERE id = ?')
  const noteDeleted = database.prepare<[number]>(
    `INSERT INTO retention (id, deleted_sequence) VALUES (1, ?)
     ON CONFLICT (id) DO UPDATE SET deleted_sequence = max(deleted_sequence, excluded.deleted_sequence)`,
  )
  const isUsed = prepareIsContentUsed(database)
  const usedBytes = prepareUsedBytes(database)

  return (input) => {
    const [afterId = 0, endedBefore = 0, endedBeforeIfFull = 0, bytesMax = 0] = input.take(4) as number[]
    const endAt = performance.now() + stepMsMax
    const jobs: JobId[] = []
    const contents = new Map<string, number>()
    let deletedSequence = 0
    let nextId = afterId
    const rows = candidates.all(afterId, jobsLookedAtMax)
    let isDone = false
    let looked = 0
    for (const [id, createdAt, finishedAt] of rows) {
      const before = usedBytes() > bytesMax ? Math.max(endedBefore, endedBeforeIfFull) : endedBefore
      // A job ends after it was made, so beyond a young one there is nothing old.
      isDone = createdAt >= before
      if (isDone) break
      looked++
      nextId = id
      if (finishedAt === null || finishedAt >= before || isNeeded.get(id) !== undefined) continue
      for (const [sha256, sizeBytes] of artifactsOf.all(id)) contents.set(sha256, sizeBytes)
      deletedSequence = Math.max(deletedSequence, lastChange.get(id) ?? 0)
      remove.run(id)
      jobs.push(id)
      if (performance.now() > endAt) break
    }
    isDone ||= looked === rows.length && rows.length < jobsLookedAtMax
    if (deletedSequence > 0) noteDeleted.run(deletedSequence)
    return { jobs, contents: unused(contents, isUsed), deletedSequence, nextId, isDone }
  }
}

export function prepareRetainArtifacts(database: Connection): (input: MessageReader) => DeletedArtifacts {
  const oldest = database
    .prepare<[Millis, number], [ArtifactId, string, number, Millis, JobId | null]>(
      `SELECT id, sha256, size_bytes, last_used_at, job_id FROM artifacts a WHERE last_used_at < ? AND NOT EXISTS (
         SELECT 1 FROM artifact_inputs i JOIN jobs j ON j.id = i.job_id WHERE i.artifact_id = a.id AND j.finished_at IS NULL)
       AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = a.job_id AND j.finished_at IS NULL)
       ORDER BY last_used_at LIMIT ?`,
    )
    .raw()
  const remove = database.prepare<[ArtifactId]>('DELETE FROM artifacts WHERE id = ?')
  // A reader that comes later could not be shown the picture; of previews he may miss some.
  const forgetPreview = database.prepare<[JobId | null, ArtifactId]>(
    "DELETE FROM job_events WHERE job_id = ? AND kind = 'preview' AND data ->> 'artifactId' = ?",
  )
  const forgetInputs = database.prepare<[ArtifactId]>('DELETE FROM artifact_inputs WHERE artifact_id = ?')
  const isUsed = prepareIsContentUsed(database)

  return (input) => {
    const [usedBefore = 0, usedBeforeIfFull = 0, bytesToFree = 0] = input.take(3) as number[]
    const endAt = performance.now() + stepMsMax
    const contents: [string, number][] = []
    let freedBytes = 0
    let deleted = 0
    let isDone = false
    const rows = oldest.all(bytesToFree > 0 ? Math.max(usedBefore, usedBeforeIfFull) : usedBefore, artifactsPerStep)
    for (const [id, sha256, sizeBytes, lastUsedAt, jobId] of rows) {
      isDone = lastUsedAt >= usedBefore && freedBytes >= bytesToFree
      if (isDone) break
      forgetInputs.run(id)
      if (jobId !== null) forgetPreview.run(jobId, id)
      remove.run(id)
      deleted++
      if (!isUsed(sha256)) {
        contents.push([sha256, sizeBytes])
        freedBytes += sizeBytes
      }
      if (performance.now() > endAt) break
    }
    return { contents, deleted, isDone: isDone || (deleted === rows.length && rows.length < artifactsPerStep) }
  }
}

/** Gives free pages back to the file system; returns how many are left. */
export function prepareVacuum(database: Connection): () => number {
  return () => {
    database.pragma(`incremental_vacuum(${vacuumPages})`)
    return database.pragma('freelist_count', { simple: true }) as number
  }
}

/** Without the pages that deletions have freed. */
function prepareUsedBytes(database: Connection): () => number {
  const pageBytes = database.pragma('page_size', { simple: true }) as number
  const pages = database
    .prepare<[], number>(
      'SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count)',
    )
    .pluck()
  return () => (pages.get() ?? 0) * pageBytes
}

function unused(contents: ReadonlyMap<string, number>, isUsed: (sha256: string) => boolean): [string, number][] {
  return [...contents].filter(([sha256]) => !isUsed(sha256))
}
