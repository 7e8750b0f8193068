/** The simulator's own format: one row per request, with the size of its model and what loading and computing take. */
import type { PriorityClass } from '../../scheduler/events.ts'
import { BrokenTrace, column, expectOrder, numberColumn, type Row, type Table } from './csv.ts'
import { ModelList, UserList } from './model-list.ts'
import type { Workload, WorkloadRequest } from './workload.ts'

const ownDefaults = { execSeconds: 20, priority: 'interactive' } as const

export function readOwnFormat(table: Table): Workload {
  const timeOf = numberColumn(table, 'timestamp_s')
  const modelOf = column(table, 'model_id')
  const sizeOf = numberColumn(table, 'size_gb')
  const loadOf = table.columns.includes('load_s') ? numberColumn(table, 'load_s') : null
  const execOf = numberColumn(table, 'exec_s', ownDefaults.execSeconds)
  const userOf = table.columns.includes('user') ? column(table, 'user') : () => ''
  const models = new ModelList()
  const users = new UserList()
  const requests: WorkloadRequest[] = []
  let before = 0
  let nameless = 0
  for (const row of table.rows) {
    const seconds = timeOf(row)
    expectOrder(table, row, 'timestamp_s', before, seconds)
    before = seconds
    const sizeGb = positive(table, row, 'size_gb', sizeOf(row))
    const loadMs = loadOf ? Math.round(loadOf(row) * 1000) : undefined
    const execMs = execOf(row) * 1000
    const priority = priorityOf(table, row)
    const name = modelOf(row).trim()
    if (name === '') nameless += 1
    const model = models.placeOf(name, sizeGb, loadMs)
    requests.push({ at: seconds * 1000, model, execMs, user: users.numberOf(userOf(row)), class: priority })
  }
  return {
    source: table.path,
    notes: [...missingNotes(table), ...rowNotes(nameless, models.otherwise)],
    seed: null,
    models: models.models,
    requests,
  }
}

function priorityOf(table: Table, row: Row): PriorityClass {
  if (!table.columns.includes('priority')) return ownDefaults.priority
  const text = column(table, 'priority')(row).trim()
  if (text === 'interactive' || text === 'batch') return text
  throw new BrokenTrace(`${table.path}, line ${row.line}: priority is "${text}"; interactive or batch is expected.`)
}

function positive({ path }: Table, { line }: Row, name: string, value: number): number {
  if (value > 0) return value
  throw new BrokenTrace(`${path}, line ${line}: ${name} is ${value}; more than 0 is expected.`)
}

function missingNotes({ columns }: Table): string[] {
  const said: readonly [string, string][] = [
    ['load_s', 'loads take 3 s and 3 s per GB'],
    ['exec_s', `every request computes for ${ownDefaults.execSeconds} s`],
    ['user', 'all requests are of one user'],
    ['priority', `every request is ${ownDefaults.priority}`],
  ]
  return said.filter(([name]) => !columns.includes(name)).map(([name, meaning]) => `No column ${name}: ${meaning}.`)
}

function rowNotes(nameless: number, otherwise: number): string[] {
  const notes: string[] = []
  if (nameless > 0) notes.push(`${nameless} rows name no model; they are served as one of their own.`)
  if (otherwise > 0)
    notes.push(`${otherwise} rows give their model another size or load time than its first row, which counts.`)
  return notes
}
