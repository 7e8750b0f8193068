/** Sessions: opened, touched, closed. */
import { type sessionColumns as Columns, sessionColumns, sqlList } from '../columns.ts'
import type { Connection } from '../opening/connection.ts'
import type { SessionRecord } from '../records.ts'
import type { MessageReader, Primitive } from './message-values.ts'

export function encodeSession(values: Primitive[], session: SessionRecord): void {
  const row: { readonly [Column in (typeof Columns)[number]]: Primitive } = session
  for (const column of sessionColumns) values.push(row[column])
}

export function prepareInsertSession(database: Connection): (input: MessageReader) => void {
  const insert = database.prepare<Primitive[]>(
    `INSERT INTO sessions (${sqlList(sessionColumns)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  return (input) => void insert.run(...input.take(sessionColumns.length))
}

export function encodeSessionUpdate(
  values: Primitive[],
  id: SessionRecord['id'],
  { lastUsedAt, closedAt }: Partial<Pick<SessionRecord, 'lastUsedAt' | 'closedAt'>>,
): void {
  values.push(lastUsedAt ?? null, closedAt ?? null, id)
}

/** What is not given stays; a closed session is never opened again. */
export function prepareUpdateSession(database: Connection): (input: MessageReader) => void {
  const update = database.prepare<Primitive[]>(
    'UPDATE sessions SET last_used_at = coalesce(?, last_used_at), closed_at = coalesce(?, closed_at) WHERE id = ?',
  )
  return (input) => void update.run(...input.take(3))
}
