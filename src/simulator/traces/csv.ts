/** Tables in files: comma-separated, the first line names the columns, gzip-compressed or not. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** What is wrong with a file, for the one who gave it: names the line. */
export class BrokenTrace extends Error {}

export interface Table {
  readonly path: string
  readonly columns: readonly string[]
  /** Each with its number in the file; the header is line 1. Empty lines are left out. */
  readonly rows: readonly Row[]
}

export interface Row {
  readonly line: number
  readonly cells: readonly string[]
}

export function readTable(path: string): Table {
  const lines = readText(path).split('\n')
  const columns = cellsOf(lines[0] ?? '').map((name) => name.trim())
  if (columns.every((name) => name === '')) throw new BrokenTrace(`${path} is empty; a header line is expected.`)
  const rows: Row[] = []
  for (let index = 1; index < lines.length; index += 1) {
    const text = lines[index] ?? ''
    if (text.trim() === '') continue
    const cells = cellsOf(text)
    const line = index + 1
    if (cells.length !== columns.length)
      throw new BrokenTrace(`${path}, line ${line}: ${cells.length} values where the header names ${columns.length}.`)
    rows.push({ line, cells })
  }
  return { path, columns, rows }
}

/** Reads a column of texts. Throws if there is none of that name. */
export function column({ path, columns }: Table, name: string): (row: Row) => string {
  const place = columns.indexOf(name)
  if (place < 0) throw new BrokenTrace(`${path}: the column ${name} is missing.`)
  return ({ cells }) => cells[place] ?? ''
}

/** Reads a column of numbers that are not negative. `missing`: for a column that is not there; undefined = it must be. */
export function numberColumn(table: Table, name: string, missing?: number): (row: Row) => number {
  if (missing !== undefined && !table.columns.includes(name)) return () => missing
  const textAt = column(table, name)
  return (row) => {
    const text = textAt(row).trim()
    const value = Number(text)
    if (text === '' || !Number.isFinite(value) || value < 0)
      throw new BrokenTrace(`${table.path}, line ${row.line}: ${name} is "${text}"; a number from 0 on is expected.`)
    return value
  }
}

/** Throws where a time lies before the one of the row before. */
export function expectOrder({ path }: Table, { line }: Row, name: string, before: number, value: number): void {
  if (value < before)
    throw new BrokenTrace(`${path}, line ${line}: ${name} ${value} lies before that of the line above (${before}).`)
}

/** Decompressed where it is compressed. */
export function readText(path: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes)
  } catch (error) {
    throw new BrokenTrace(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return bytes.toString('utf8').replace(/^\uFEFF/, '')
}

/** Without quoted values: no column needs commas. */
function cellsOf(line: string): string[] {
  return line.replace(/\r$/, '').split(',')
}
