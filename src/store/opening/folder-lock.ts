/**
 * One server per data folder: a small SQLite file of its own, held in an exclusive transaction. The system gives the lock back when the
 * process dies, however it dies, so there are no stale locks and nothing to clean up.
 */

import { join } from 'node:path'
import Database from 'better-sqlite3'

export interface FolderLock {
  release(): void
}

/** Null when somebody else holds it. */
export function lockFolder(folder: string): FolderLock | null {
  const database = new Database(join(folder, 'lock.sqlite'), { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return null
    throw error
  }
  return { release: () => database.close() }
}
