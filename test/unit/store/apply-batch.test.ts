import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { migrate } from '../../../src/store/opening/migrations.ts'
import { prepareApplyBatch, StorageTrouble } from '../../../src/store/writer/apply-batch.ts'
import { append, type Primitive } from '../../../src/store/writer/message-values.ts'
import { operationCodes } from '../../../src/store/writer/operations.ts'

const migrations = fileURLToPath(new URL('../../../migrations', import.meta.url))

/** A batch of one write, which fails with this code of SQLite. */
function failingWith(code: string): () => unknown {
  const database = new Database(':memory:')
  migrate(database, migrations)
  database.function('fail', () => {
    throw new Database.SqliteError('it failed', code)
  })
  database.exec('CREATE TRIGGER failing BEFORE INSERT ON devices BEGIN SELECT fail(); END')
  const values: Primitive[] = []
  append(values, operationCodes.registerDevice, (device) => void device.push('cpu', 'CPU'))
  const apply = prepareApplyBatch(database)
  return () => apply(values)
}

test('trouble that may pass leaves the batch to be tried again', () => {
  expect(failingWith('SQLITE_FULL')).toThrow(StorageTrouble)
  expect(failingWith('SQLITE_IOERR_WRITE')).toThrow(StorageTrouble)
})

test('a fault of the operation is its own', () => {
  expect(failingWith('SQLITE_CONSTRAINT')()).toEqual({ results: [], failures: [[0, 'it failed']] })
})

test('a file that is no database any more is not tried again, and nobody is told that his write was refused', () => {
  for (const code of ['SQLITE_CORRUPT', 'SQLITE_CORRUPT_INDEX', 'SQLITE_NOTADB']) {
    expect(failingWith(code)).toThrow(Database.SqliteError)
  }
})
