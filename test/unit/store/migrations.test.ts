import { execFileSync } from 'node:child_process'
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import drizzleConfig from '../../../drizzle.config.ts'
import { openForWriting } from '../../../src/store/opening/connection.ts'
import { DatabaseTooNewError } from '../../../src/store/opening/errors.ts'
import { migrate } from '../../../src/store/opening/migrations.ts'
import { dataFolder } from '../../support/data-folder.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const migrations = join(root, 'migrations')

test('the migrations make exactly the tables of tables.ts', { timeout: 30_000 }, async () => {
  const folder = await dataFolder()
  await cp(migrations, folder, { recursive: true })
  const before = await readdir(folder)
  const kit = join(root, 'node_modules/drizzle-kit/bin.cjs')
  const config = join(folder, 'drizzle.config.json')
  await writeFile(config, JSON.stringify({ ...drizzleConfig, out: relative(root, folder) }))
  const said = execFileSync(process.execPath, [kit, 'generate', '--config', config], { cwd: root, encoding: 'utf8' })
  expect(said).toContain('No schema changes')
  expect((await readdir(folder)).filter((file) => file.endsWith('.sql'))).toEqual(
    before.filter((file) => file.endsWith('.sql')),
  )
})

test('a new database gives space back, is written ahead of, and survives a power cut', async () => {
  const database = openForWriting(await dataFolder())
  migrate(database, migrations)
  const pragma = (name: string) => database.pragma(name, { simple: true })
  expect(pragma('auto_vacuum')).toBe(2)
  expect(pragma('journal_mode')).toBe('wal')
  expect(pragma('synchronous')).toBe(2)
  expect(pragma('foreign_keys')).toBe(1)
  database.close()
})

test('migrations are applied once', async () => {
  const database = openForWriting(await dataFolder())
  migrate(database, migrations)
  migrate(database, migrations)
  const applied = database.prepare('SELECT count(*) FROM __drizzle_migrations').pluck().get()
  expect(applied).toBe((await readdir(migrations)).filter((file) => file.endsWith('.sql')).length)
  database.close()
})

test('a database with a migration that this program does not know is refused and left alone', async () => {
  const database = openForWriting(await dataFolder())
  migrate(database, migrations)
  database.exec("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('of the future', 9999999999999)")
  expect(() => migrate(database, migrations)).toThrow(DatabaseTooNewError)
  expect(() => migrate(database, migrations)).toThrow(/newer than this program/)
  database.close()
})

test('a migration that fails is undone whole', async () => {
  const folder = await dataFolder()
  await mkdir(join(folder, 'meta'))
  await writeFile(join(folder, 'meta', '_journal.json'), JSON.stringify({ entries: [{ tag: '0000_broken', when: 1 }] }))
  await writeFile(
    join(folder, '0000_broken.sql'),
    'CREATE TABLE half (id INTEGER);--> statement-breakpoint\nCREATE TABLE half (id INTEGER);',
  )
  const database = new Database(':memory:')
  expect(() => migrate(database, folder)).toThrow(/already exists/)
  expect(database.prepare("SELECT count(*) FROM sqlite_master WHERE name = 'half'").pluck().get()).toBe(0)
  expect(database.prepare('SELECT count(*) FROM __drizzle_migrations').pluck().get()).toBe(0)
  database.close()
})
