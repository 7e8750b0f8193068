/** Reads a recorded workload; its header says of what kind it is. */
import { readAzureRequests } from './azure-requests.ts'
import { type ClientRatesOptions, readClientRates } from './client-rates.ts'
import { BrokenTrace, readTable, type Table } from './csv.ts'
import { readGenaiRequests } from './genai-requests.ts'
import { readOwnFormat } from './own-format.ts'
import type { Workload } from './workload.ts'

export function readWorkload(path: string, options: ClientRatesOptions): Workload {
  const table = readTable(path)
  const workload = readAs(table, options)
  if (workload.requests.length === 0) throw new BrokenTrace(`${path} has no requests.`)
  return workload
}

function readAs(table: Table, options: ClientRatesOptions): Workload {
  const { columns, path } = table
  const has = (...names: readonly string[]) => names.every((name) => columns.includes(name))
  if (has('timestamp_s', 'model_id', 'size_gb')) return readOwnFormat(table)
  if (has('timestamp_s', 'model_id', 'status', 'exec_s', 'group_id')) return readGenaiRequests(table)
  if (has('timestamp_s', 'model_id', 'context_tokens', 'generated_tokens')) return readAzureRequests(table)
  if (has('window_start_s', 'model', 'client', 'rate_rps')) return readClientRates(table, options)
  if (has('component', 'latency_ms'))
    throw new BrokenTrace(`${path} holds load times and no requests: give it as --load-times beside a workload.`)
  if (has('create_s', 'gpu_milli') || has('sn', 'gpu'))
    throw new BrokenTrace(`${path} describes a cluster: give its pods as --trace and its nodes as --nodes.`)
  throw new BrokenTrace(
    `${path} is of no known kind. Expected are at least the columns timestamp_s, model_id and size_gb; it has ${columns.join(', ')}.`,
  )
}
