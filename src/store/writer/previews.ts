/** Previews that nobody may see any more: their events and rows go, and then the files that no other artifact has. */
import type { JobId } from '../../scheduler/ids.ts'
import type { Connection } from '../opening/connection.ts'
import type { ArtifactId } from '../records.ts'
import type { WithdrawnPreviews } from '../retention.ts'
import { prepareIsContentUsed } from './artifacts.ts'
import type { MessageReader, Primitive } from './message-values.ts'

export function encodeWithdrawal(values: Primitive[], jobId: JobId, items: readonly number[]): void {
  values.push(jobId, items.length, ...items)
}

export function prepareWithdrawPreviews(database: Connection): (input: MessageReader) => WithdrawnPreviews {
  const find = database
    .prepare<[JobId, number], [ArtifactId, string, number]>(
      `SELECT a.id, a.sha256, a.size_bytes FROM job_events e JOIN artifacts a ON a.id = e.data ->> 'artifactId'
       WHERE e.job_id = ? AND e.kind = 'preview' AND e.data ->> 'item' = ?`,
    )
    .raw()
  const forgetEvents = database.prepare<[JobId, number]>(
    "DELETE FROM job_events WHERE job_id = ? AND kind = 'preview' AND data ->> 'item' = ?",
  )
  const forgetInputs = database.prepare<[ArtifactId]>('DELETE FROM artifact_inputs WHERE artifact_id = ?')
  const remove = database.prepare<[ArtifactId]>('DELETE FROM artifacts WHERE id = ?')
  const isUsed = prepareIsContentUsed(database)

  return (input) => {
    const jobId = input.number() as JobId
    const contents = new Map<string, number>()
    for (let count = input.number(); count > 0; count--) {
      const item = input.number()
      for (const [id, sha256, sizeBytes] of find.all(jobId, item)) {
        contents.set(sha256, sizeBytes)
        forgetInputs.run(id)
        remove.run(id)
      }
      forgetEvents.run(jobId, item)
    }
    return [...contents].filter(([sha256]) => !isUsed(sha256))
  }
}
