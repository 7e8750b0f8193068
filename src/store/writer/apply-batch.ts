/**
 * One batch, one transaction. First the fast way: all operations, one commit. An operation that fails by its own fault (a constraint, a job
 * that is not there) must not take its neighbours along: then the batch is undone and done again, each operation in a savepoint of its own.
 */
import Database from 'better-sqlite3'
import type { Connection } from '../opening/connection.ts'
import { MessageReader, type Primitive } from './message-values.ts'
import { prepareOperations } from './operations.ts'

/** Results that are not undefined, and failures, by the operation's place in the batch. */
export interface BatchResults {
  readonly results: readonly (readonly [place: number, result: unknown])[]
  readonly failures: readonly (readonly [place: number, message: string])[]
}

/** The batch could not be committed: disk full, I/O error. Nothing was written; the same batch may succeed later. */
export class StorageTrouble extends Error {
  override readonly name = 'StorageTrouble'
}

export function prepareApplyBatch(database: Connection): (values: readonly Primitive[]) => BatchResults {
  const operations = prepareOperations(database)
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  const savepoint = database.prepare('SAVEPOINT operation')
  const release = database.prepare('RELEASE operation')
  const undo = database.prepare('ROLLBACK TO operation')

  return (values) => {
    const input = new MessageReader(values)
    try {
      return transaction(() => applyAll(input))
    } catch (error) {
      if (isStorageTrouble(error)) throw new StorageTrouble(error.message, { cause: error })
      if (isBeyondRepair(error)) throw error
    }
    input.rewind()
    try {
      return transaction(() => applyEach(input))
    } catch (error) {
      if (isStorageTrouble(error)) throw new StorageTrouble(error.message, { cause: error })
      throw error
    }
  }

  function transaction(apply: () => BatchResults): BatchResults {
    begin.run()
    try {
      const results = apply()
      commit.run()
      return results
    } catch (error) {
      // SQLite has rolled back by itself after some errors, a full disk among them.
      if (database.inTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  function applyAll(input: MessageReader): BatchResults {
    const results: [number, unknown][] = []
    for (let place = 0, code = input.nextOperation(); code !== null; place++, code = input.nextOperation()) {
      const result = apply(code, input)
      if (result !== undefined) results.push([place, result])
    }
    return { results, failures: [] }
  }

  function applyEach(input: MessageReader): BatchResults {
    const results: [number, unknown][] = []
    const failures: [number, string][] = []
    for (let place = 0, code = input.nextOperation(); code !== null; place++, code = input.nextOperation()) {
      savepoint.run()
      try {
        const result = apply(code, input)
        if (result !== undefined) results.push([place, result])
      } catch (error) {
        if (isStorageTrouble(error) || isBeyondRepair(error)) throw error
        undo.run()
        failures.push([place, error instanceof Error ? error.message : String(error)])
      }
      release.run()
    }
    return { results, failures }
  }

  function apply(code: number, input: MessageReader): unknown {
    const operation = operations.get(code)
    if (!operation) throw new Error(`No operation has the code ${code}.`)
    return operation(input)
  }
}

/** These may pass. */
const storageCodes = /^SQLITE_(FULL|IOERR|NOMEM|BUSY|LOCKED|READONLY|CANTOPEN|PROTOCOL|PERM|AUTH)/

export function isStorageTrouble(error: unknown): error is Error {
  return error instanceof Database.SqliteError && storageCodes.test(error.code)
}

/** Trying again cannot help a file that is no database any more: the writer dies of it, and says so. */
function isBeyondRepair(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code)
}
