/** What the server must know before its first write: where numbers go on, and which jobs had not ended. */
import {
  type CheckpointHeadRow,
  checkpointHeadColumns,
  type JobRow,
  jobColumns,
  sqlList,
  type TaskRow,
  taskColumns,
} from '../columns.ts'
import { sequencesPerBlock } from '../sequences.ts'
import type { Connection } from './connection.ts'

/** The `Opening` of store.ts as it comes from the writer's thread. */
export interface OpeningRows {
  readonly nextJobId: number
  readonly nextTaskId: number
  readonly nextSessionId: number
  readonly nextArtifactId: number
  readonly firstDecision: number
  readonly firstRuntimeId: number
  /** First number of the event log that this process may give out, and the first that it may not show before a further block is committed. */
  readonly firstSequence: number
  readonly reservedSequence: number
  /** State changes up to this number may have been deleted with their jobs. */
  readonly deletedSequence: number
  readonly unfinished: readonly JobRow[]
  readonly tasks: readonly TaskRow[]
  /** Only jobs that have not ended have any. */
  readonly checkpoints: readonly CheckpointHeadRow[]
  readonly snapshot: string | null
}

const runtimeIdsPerProcess = 1_000_000_000
const decisionsPerProcess = 1_000_000_000

export function readOpening(database: Connection): OpeningRows {
  const reserve = database.transaction(() => ({
    decision: reserveNumbers(database, 'decision', decisionsPerProcess),
    runtime: reserveNumbers(database, 'runtime', runtimeIdsPerProcess),
    event: reserveNumbers(database, 'event', sequencesPerBlock),
  }))
  const first = reserve.immediate()
  return {
    nextJobId: nextId(database, 'jobs'),
    nextTaskId: nextId(database, 'tasks'),
    nextSessionId: nextId(database, 'sessions'),
    nextArtifactId: nextId(database, 'artifacts'),
    firstDecision: first.decision,
    firstRuntimeId: first.runtime,
    firstSequence: first.event,
    reservedSequence: first.event + sequencesPerBlock,
    deletedSequence:
      database.prepare<[], number>('SELECT deleted_sequence FROM retention WHERE id = 1').pluck().get() ?? 0,
    unfinished: database
      .prepare<[], JobRow>(`SELECT ${sqlList(jobColumns)} FROM jobs WHERE finished_at IS NULL ORDER BY id`)
      .raw()
      .all(),
    tasks: database
      .prepare<[], TaskRow>(
        `SELECT ${sqlList(taskColumns)} FROM tasks WHERE job_id IN (SELECT id FROM jobs WHERE finished_at IS NULL) ORDER BY job_id, id`,
      )
      .raw()
      .all(),
    checkpoints: database
      .prepare<[], CheckpointHeadRow>(`SELECT ${sqlList(checkpointHeadColumns)} FROM checkpoints ORDER BY task_id`)
      .raw()
      .all(),
    snapshot:
      database.prepare<[], string>('SELECT snapshot FROM scheduler_snapshots WHERE id = 1').pluck().get() ?? null,
  }
}

/** The first of `count` numbers that nobody has had before. */
function reserveNumbers(database: Connection, name: string, count: number): number {
  const after = database
    .prepare<[string, number, number], number>(
      'INSERT INTO sequence_blocks (name, reserved) VALUES (?, 1 + ?) ON CONFLICT (name) DO UPDATE SET reserved = reserved + ? RETURNING reserved',
    )
    .pluck()
    .get(name, count, count)
  if (after === undefined) throw new Error(`No block of numbers could be reserved for ${name}.`)
  return after - count
}

/** AUTOINCREMENT notes the greatest id that a table ever had. */
function nextId(database: Connection, table: string): number {
  const last = database.prepare<[string], number>('SELECT seq FROM sqlite_sequence WHERE name = ?').pluck().get(table)
  return (last ?? 0) + 1
}
