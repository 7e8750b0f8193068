/** Where in the data folder the database is. Apart from `connection.ts`, because the main thread needs the name and must not load SQLite. */
import { join } from 'node:path'

export function databaseFile(folder: string): string {
  return join(folder, 'hearth.sqlite')
}
