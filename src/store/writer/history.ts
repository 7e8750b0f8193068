/** What was decided, and rows of the ledger that are closed: written in lots, and the oldest deleted in steps that hold nobody up. */
import type { Millis } from '../../scheduler/ids.ts'
import { allocationColumns, decisionColumns, sqlList } from '../columns.ts'
import type { Connection } from '../opening/connection.ts'
import { allocationRow, decisionRow } from '../rows.ts'
import type { History } from '../store.ts'
import type { MessageReader, Primitive } from './message-values.ts'

/** A step deletes at most so many rows of each table. */
const rowsPerStep = 1000

export function encodeHistory(values: Primitive[], { decisions, allocations }: History): void {
  values.push(decisions.length)
  for (const decision of decisions) values.push(...decisionRow(decision))
  values.push(allocations.length)
  for (const allocation of allocations) values.push(...allocationRow(allocation))
}

export function prepareRecordHistory(database: Connection): (input: MessageReader) => void {
  const insertDecision = prepareInsert(database, 'decisions', decisionColumns)
  const insertAllocation = prepareInsert(database, 'allocations', allocationColumns)
  return (input) => {
    for (let count = input.number(); count > 0; count--) insertDecision.run(...input.take(decisionColumns.length))
    for (let count = input.number(); count > 0; count--) insertAllocation.run(...input.take(allocationColumns.length))
  }
}

export function prepareRetainHistory(database: Connection): (input: MessageReader) => { readonly isDone: boolean } {
  const retain = [
    prepareRetain(database, 'decisions', 'at', 'sequence'),
    // What was lent for long has a small number, and may be given back last.
    prepareRetain(database, 'allocations', 'released_at', 'released_at, id'),
  ]
  return (input) => {
    const [rowsMax = 0, before = 0] = input.take(2) as number[]
    const done = retain.map((step) => step(rowsMax, before))
    return { isDone: done.every((isDone) => isDone) }
  }
}

/**
 * Deletes from the oldest on, in the order of `key`, as long as they are too old or there are too many; answers whether nothing of that kind is left.
 * They are counted once for a round of steps: what comes meanwhile is the next one's.
 */
function prepareRetain(database: Connection, table: string, at: string, key: string) {
  const count = database.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck()
  const oldest = database
    .prepare<[number], [Millis, ...number[]]>(`SELECT ${at}, ${key} FROM ${table} ORDER BY ${key} LIMIT ?`)
    .raw()
  const places = key.replace(/\w+/g, '?')
  const remove = database.prepare<number[]>(`DELETE FROM ${table} WHERE (${key}) <= (${places})`)
  let counted: number | null = null
  return (rowsMax: number, before: Millis): boolean => {
    counted ??= count.get() ?? 0
    const excess = counted - rowsMax
    const rows = oldest.all(rowsPerStep)
    const kept = rows.findIndex(([rowAt], place) => place >= excess && rowAt >= before)
    const last = rows.at(kept === -1 ? -1 : kept - 1)
    if (kept !== 0 && last) counted -= remove.run(...last.slice(1)).changes
    const isDone = kept !== -1 || rows.length < rowsPerStep
    if (isDone) counted = null
    return isDone
  }
}

function prepareInsert(database: Connection, table: string, columns: readonly string[]) {
  const places = columns.map(() => '?').join(', ')
  return database.prepare<Primitive[]>(`INSERT OR REPLACE INTO ${table} (${sqlList(columns)}) VALUES (${places})`)
}
