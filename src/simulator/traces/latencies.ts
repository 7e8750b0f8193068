/** Measured load times without the models that they belong to: how much a load may differ from what is usual. */
import { BrokenTrace, column, numberColumn, type Table } from './csv.ts'

/** Each load time of a base model in relation to the median, ascending. */
export function loadFactors(table: Table): number[] {
  const componentOf = column(table, 'component')
  const latencyOf = numberColumn(table, 'latency_ms')
  const times = table.rows.filter((row) => componentOf(row) === 'base_load').map(latencyOf)
  times.sort((a, b) => a - b)
  const median = times[Math.floor(times.length / 2)]
  if (!median) throw new BrokenTrace(`${table.path} has no load times of base models (component base_load).`)
  return times.map((ms) => ms / median)
}
