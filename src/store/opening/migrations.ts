/**
 * Brings a database up to the tables of this program: what drizzle-kit wrote into `migrations/` is applied in order, each file in one
 * transaction, and noted in the table that drizzle's own migrator uses. Done by hand because importing that migrator takes 400 ms.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Connection } from './connection.ts'
import { DatabaseTooNewError } from './errors.ts'

interface Journal {
  readonly entries: readonly { readonly tag: string; readonly when: number }[]
}

/** Throws DatabaseTooNewError when the database has migrations that `migrationsFolder` does not know. */
export function migrate(database: Connection, migrationsFolder: string): void {
  const { entries } = JSON.parse(readFileSync(join(migrationsFolder, 'meta', '_journal.json'), 'utf8')) as Journal
  const applied = appliedMigrations(database)
  const known = new Set(entries.map(({ when }) => when))
  const unknown = applied.filter((when) => !known.has(when))
  if (unknown.length > 0) throw new DatabaseTooNewError(database.name, unknown.length)
  const missing = entries.filter(({ when }) => !applied.includes(when))
  if (missing.length === 0) return
  // A migration that rebuilds a table would otherwise take the rows that refer to it along.
  database.pragma('foreign_keys = OFF')
  for (const { tag, when } of missing) apply(database, readFileSync(join(migrationsFolder, `${tag}.sql`), 'utf8'), when)
  database.pragma('foreign_keys = ON')
}

function appliedMigrations(database: Connection): number[] {
  database.exec(
    'CREATE TABLE IF NOT EXISTS __drizzle_migrations (id INTEGER PRIMARY KEY, hash TEXT NOT NULL, created_at NUMERIC)',
  )
  return database.prepare<[], number>('SELECT created_at FROM __drizzle_migrations').pluck().all()
}

function apply(database: Connection, sql: string, when: number): void {
  const note = database.prepare('INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)')
  const applyAll = database.transaction(() => {
    for (const statement of sql.split('--> statement-breakpoint')) database.exec(statement)
    note.run(createHash('sha256').update(sql).digest('hex'), when)
    const broken = database.pragma('foreign_key_check')
    if (Array.isArray(broken) && broken.length > 0)
      throw new Error(`A migration left ${broken.length} rows that refer to nothing.`)
  })
  applyAll.immediate()
}
