/** Requests of a picture service as it recorded them. Sizes are not recorded; they follow from how long requests of a model take. */
import { BrokenTrace, column, expectOrder, numberColumn, type Row, type Table } from './csv.ts'
import { ModelList, sizeGbByName, UserList } from './model-list.ts'
import { catalogueGb, type Workload, type WorkloadRequest } from './workload.ts'

/** Models of which the median request takes so long are the largest. */
const largeFromSeconds = 35

export function readGenaiRequests(table: Table): Workload {
  const timeOf = numberColumn(table, 'timestamp_s')
  const modelOf = column(table, 'model_id')
  const statusOf = column(table, 'status')
  const execOf = numberColumn(table, 'exec_s')
  const userOf = column(table, 'group_id')
  const named = table.rows.filter((row) => modelOf(row) !== '' && statusOf(row) !== 'PEND')
  const sizes = sizesOf(named, modelOf, execOf)
  const models = new ModelList()
  const users = new UserList()
  let before = 0
  const requests = named.map((row): WorkloadRequest => {
    const seconds = timeOf(row)
    expectOrder(table, row, 'timestamp_s', before, seconds)
    before = seconds
    const name = modelOf(row)
    const model = models.placeOf(name, sizes.get(name) ?? 0)
    const user = users.numberOf(userOf(row))
    return { at: seconds * 1000, model, execMs: execOf(row) * 1000, user, class: 'interactive' }
  })
  if (requests.length === 0) throw new BrokenTrace(`${table.path} has no request that names a model.`)
  const [small, middle, large] = catalogueGb
  return {
    source: table.path,
    notes: [
      `Sizes by rule: ${large} GB where the median request takes ${largeFromSeconds} s, else ${small} or ${middle} GB by name.`,
      `${table.rows.length - requests.length} rows without a model or never served are left out.`,
    ],
    seed: null,
    models: models.models,
    requests,
  }
}

function sizesOf(
  rows: readonly Row[],
  modelOf: (row: Row) => string,
  execOf: (row: Row) => number,
): Map<string, number> {
  const times = new Map<string, number[]>()
  for (const row of rows) {
    const of = times.get(modelOf(row))
    if (of) of.push(execOf(row))
    else times.set(modelOf(row), [execOf(row)])
  }
  const [small, middle, large] = catalogueGb
  const sizes = new Map<string, number>()
  for (const [name, seconds] of times)
    sizes.set(name, median(seconds) >= largeFromSeconds ? large : sizeGbByName(name, [small, middle]))
  return sizes
}

function median(values: number[]): number {
  values.sort((a, b) => a - b)
  const middle = Math.floor(values.length / 2)
  const upper = values[middle] ?? 0
  return values.length % 2 === 1 ? upper : (upper + (values[middle - 1] ?? upper)) / 2
}
