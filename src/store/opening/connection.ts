/** The two ways to open the database: to write, once, and to read. */
import Database from 'better-sqlite3'
import { databaseFile } from './database-file.ts'

export type Connection = Database.Database

const cacheKiB = 8192
/** Pages of the log after which a commit also checkpoints: fewer, larger checkpoints write a page that changed often only once. */
const checkpointPages = 4000
/** The log's file is cut to this after a checkpoint. */
const journalBytesMax = 64 * 1024 * 1024

export function openForWriting(folder: string): Connection {
  const database = new Database(databaseFile(folder))
  // Only takes effect before the first table exists; later it is a no-op.
  database.pragma('auto_vacuum = INCREMENTAL')
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.pragma('foreign_keys = ON')
  database.pragma('temp_store = MEMORY')
  database.pragma(`cache_size = -${cacheKiB}`)
  database.pragma(`wal_autocheckpoint = ${checkpointPages}`)
  database.pragma(`journal_size_limit = ${journalBytesMax}`)
  return database
}

export function openForReading(folder: string): Connection {
  const database = new Database(databaseFile(folder), { readonly: true, fileMustExist: true })
  database.pragma('query_only = ON')
  database.pragma('temp_store = MEMORY')
  database.pragma(`cache_size = -${cacheKiB}`)
  return database
}
