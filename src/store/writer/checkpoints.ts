/** The newest saved state of each task: kept while its job lives, and gone in the commit that ends it. */
import type { JobId } from '../../scheduler/ids.ts'
import { checkpointColumns, sqlList } from '../columns.ts'
import type { Connection } from '../opening/connection.ts'
import type { CheckpointRecord } from '../records.ts'
import type { MessageReader, Primitive } from './message-values.ts'

const jobId = checkpointColumns.indexOf('jobId')

export function encodeCheckpoints(values: Primitive[], checkpoints: readonly CheckpointRecord[]): void {
  values.push(checkpoints.length)
  for (const checkpoint of checkpoints) for (const column of checkpointColumns) values.push(checkpoint[column])
}

/** One that comes after its job's end is dropped. */
export function prepareSaveCheckpoints(database: Connection): (input: MessageReader) => void {
  const save = database.prepare<Primitive[]>(
    `INSERT OR REPLACE INTO checkpoints (${sqlList(checkpointColumns)})
     SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM jobs WHERE id = ? AND finished_at IS NULL)`,
  )
  return (input) => {
    for (let count = input.number(); count > 0; count--) {
      const row = input.take(checkpointColumns.length)
      save.run(...row, row[jobId] as JobId)
    }
  }
}

export function prepareDropCheckpoints(database: Connection): (jobId: Primitive) => void {
  const drop = database.prepare<[Primitive]>('DELETE FROM checkpoints WHERE job_id = ?')
  return (id) => void drop.run(id)
}
