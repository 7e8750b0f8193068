/** Models that were registered by path. */
import { registrationColumns, sqlList } from '../columns.ts'
import type { Connection } from '../opening/connection.ts'
import type { RegistrationRecord } from '../records.ts'
import type { MessageReader, Primitive } from './message-values.ts'

export function encodeRegistration(values: Primitive[], registration: RegistrationRecord): void {
  for (const column of registrationColumns) values.push(registration[column])
}

export function prepareSaveRegistration(database: Connection): (input: MessageReader) => void {
  const save = database.prepare<Primitive[]>(
    `INSERT OR REPLACE INTO model_registrations (${sqlList(registrationColumns)}) VALUES (?, ?, ?, ?)`,
  )
  return (input) => void save.run(...input.take(registrationColumns.length))
}
