/** Opens a data folder: locks it, brings its database up to date, and starts the two threads that work on it. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JobId, Millis } from '../scheduler/ids.ts'
import type { CheckpointHeadRow, TaskRow } from './columns.ts'
import { databaseFile } from './opening/database-file.ts'
import { thisProcess, writeHolder } from './opening/holder.ts'
import type { OpeningRows } from './opening/read-opening.ts'
import { historyOf } from './reader/history.ts'
import { ReaderClient } from './reader/reader-client.ts'
import type { CheckpointRecord } from './records.ts'
import { jobOf, taskOf } from './rows.ts'
import { Sequences } from './sequences.ts'
import type { Opening, Store, StoreMetrics, UnfinishedJob } from './store.ts'
import { changesOf } from './writer/changes.ts'
import { encodeCheckpoints } from './writer/checkpoints.ts'
import { WaitingCheckpoints } from './writer/waiting-checkpoints.ts'
import { WriterClient } from './writer/writer-client.ts'

export interface StoreOptions {
  /** Made if it is not there. */
  readonly folder: string
  /** Rows that may wait for their commit before submissions are refused. */
  readonly queueLimit?: number
  /** Characters of requests that may wait for their commit before submissions are refused. */
  readonly queueCharsLimit?: number
  readonly now?: () => Millis
  /** A thread of the store died, so that nothing more can be written or read. By default this ends the process. */
  readonly onDeath?: (error: Error) => void
}

const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url))
const queueLimitDefault = 20_000
const queueCharsLimitDefault = 64 * 1024 * 1024

/** What only the server's main program does with a store. */
export interface OpenedStore extends Store {
  /** Says in the data folder where this server listens, for whoever finds the folder in use. */
  announce(url: string): void
  /** The database may grow to so many bytes; more is refused as a full disk is. Null = as the disk allows. */
  limitDatabase(bytes: number | null): void
}

/** Rejects with FolderLockedError when another server has the folder, with DatabaseTooNewError when a newer program wrote it. */
export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const { now = Date.now, onDeath = endProcess } = options
  const folder = resolve(options.folder)
  const startedAt = now()
  const writer = new WriterClient({ folder, migrationsFolder, startedAt }, onDeath)
  const rows = await writer.opened
  const reader = new ReaderClient(folder, onDeath)
  const sequences = new Sequences(rows.firstSequence, rows.reservedSequence, (limit) => reserve(writer, limit))
  const checkpoints = new WaitingCheckpoints((lot) => saveCheckpoints(writer, lot))
  const limits = {
    rows: options.queueLimit ?? queueLimitDefault,
    chars: options.queueCharsLimit ?? queueCharsLimitDefault,
  }
  let { deletedSequence } = rows
  const onDeleted = (sequence: number) => (deletedSequence = Math.max(deletedSequence, sequence))
  let closing: Promise<void> | null = null
  return {
    opening: openingOf(rows),
    ...changesOf({ writer, sequences, checkpoints, limits, now, onDeleted }),
    ...historyOf(reader, (taskId) => checkpoints.newest(taskId)),
    nextSequence: () => sequences.take(),
    lastSequence: () => sequences.last,
    deletedSequence: () => deletedSequence,
    isReserved: (sequence) => sequences.isReserved(sequence),
    onCommit: (listener) => writer.onCommit(listener),
    get metrics() {
      return measure(writer, folder)
    },
    announce: (url) => writeHolder(folder, thisProcess(startedAt, url)),
    limitDatabase: (bytes) => writer.limitDatabase(bytes),
    close: () => (closing ??= close(reader, writer, checkpoints)),
  }
}

async function close(reader: ReaderClient, writer: WriterClient, checkpoints: WaitingCheckpoints): Promise<void> {
  await reader.close()
  checkpoints.writeAll()
  await writer.close()
}

function reserve(writer: WriterClient, limit: number): Promise<void> {
  return writer.queue.add({
    operation: 'reserveSequences',
    write: (values) => void values.push(limit),
    rows: 1,
    bytes: 0,
    urgent: true,
  })
}

function saveCheckpoints(writer: WriterClient, lot: readonly CheckpointRecord[]): Promise<void> {
  return writer.queue.add({
    operation: 'saveCheckpoints',
    write: (values) => encodeCheckpoints(values, lot),
    rows: lot.length,
    bytes: lot.reduce((sum, { saved }) => sum + saved.byteLength, 0),
    urgent: false,
  })
}

function measure({ queue, trouble }: WriterClient, folder: string): StoreMetrics {
  const file = databaseFile(folder)
  return {
    queuedOperations: queue.rows,
    commits: queue.commits,
    databaseBytes: fileBytes(file),
    walBytes: fileBytes(`${file}-wal`),
    accepting: trouble === null,
    trouble: trouble?.message ?? null,
  }
}

function fileBytes(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

function openingOf(rows: OpeningRows): Opening {
  const { nextJobId, nextTaskId, nextSessionId, nextArtifactId, firstDecision, firstRuntimeId, snapshot } = rows
  const tasks = grouped(rows.tasks)
  const checkpoints = grouped(rows.checkpoints)
  const unfinished = rows.unfinished.map(
    (row): UnfinishedJob => ({
      record: jobOf(row),
      tasks: (tasks.get(row[0]) ?? []).map(taskOf),
      checkpoints: (checkpoints.get(row[0]) ?? []).map(([taskId, , step]) => ({ taskId, step })),
    }),
  )
  return { nextJobId, nextTaskId, nextSessionId, nextArtifactId, firstDecision, firstRuntimeId, unfinished, snapshot }
}

/** By job, which is the second column of both. */
function grouped<Row extends TaskRow | CheckpointHeadRow>(rows: readonly Row[]): ReadonlyMap<JobId, readonly Row[]> {
  return Map.groupBy(rows, (row) => row[1])
}

function endProcess(error: Error): never {
  throw error
}
