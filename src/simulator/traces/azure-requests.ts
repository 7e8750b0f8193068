/** Requests of text services with their numbers of tokens: what they compute follows from those. */
import { column, expectOrder, numberColumn, type Table } from './csv.ts'
import { ModelList } from './model-list.ts'
import type { Workload, WorkloadRequest } from './workload.ts'

/** Of a model of seven billion parameters in half precision on one device. */
const sizeGb = 14
const readTokensPerSecond = 5000
const writtenTokensPerSecond = 40

export function readAzureRequests(table: Table): Workload {
  const timeOf = numberColumn(table, 'timestamp_s')
  const modelOf = column(table, 'model_id')
  const contextOf = numberColumn(table, 'context_tokens')
  const generatedOf = numberColumn(table, 'generated_tokens')
  const models = new ModelList()
  let before = 0
  const requests = table.rows.map((row): WorkloadRequest => {
    const seconds = timeOf(row)
    expectOrder(table, row, 'timestamp_s', before, seconds)
    before = seconds
    const execSeconds = contextOf(row) / readTokensPerSecond + generatedOf(row) / writtenTokensPerSecond
    return {
      at: seconds * 1000,
      model: models.placeOf(modelOf(row), sizeGb),
      execMs: execSeconds * 1000,
      user: null,
      class: 'interactive',
    }
  })
  return {
    source: table.path,
    notes: [
      `Every service is a model of ${sizeGb} GB that reads ${readTokensPerSecond} and writes ${writtenTokensPerSecond} tokens per second, one request at a time.`,
    ],
    seed: null,
    models: models.models,
    requests,
  }
}
