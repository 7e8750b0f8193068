/**
 * Rates of many clients, from which requests are drawn: each client is a model of its own. Gaps follow the law that its window names, brought to the
 * mean that the rate says. Rates are scaled down alike, and windows kept, so that about as many requests come out as are wanted.
 */
import { Random } from '../random.ts'
import { BrokenTrace, column, numberColumn, type Table } from './csv.ts'
import { drawGamma, drawWeibull } from './laws.ts'
import { ModelList, sizeGbByName } from './model-list.ts'
import type { Workload, WorkloadRequest } from './workload.ts'

export interface ClientRatesOptions {
  readonly seed: number
  /** About so many are drawn. */
  readonly requests: number
}

const windowMs = 600_000
/** More than that in a burst says nothing any more. */
const variationMax = 50
const execSeconds = 10

export function readClientRates(table: Table, { seed, requests: wanted }: ClientRatesOptions): Workload {
  const startOf = numberColumn(table, 'window_start_s')
  const serviceOf = column(table, 'model')
  const clientOf = column(table, 'client')
  const rateOf = numberColumn(table, 'rate_rps')
  const variationOf = numberColumn(table, 'cv')
  const lawOf = column(table, 'dist')
  const expected = table.rows.reduce((sum, row) => sum + (rateOf(row) * windowMs) / 1000, 0)
  if (expected === 0) throw new BrokenTrace(`${table.path} has no request.`)
  const scale = Math.min(1, wanted / expected)
  const random = new Random(seed)
  const models = new ModelList()
  const requests: WorkloadRequest[] = []
  for (const row of table.rows) {
    const name = `${serviceOf(row)}/${clientOf(row)}`
    const law = lawOf(row)
    if (law !== 'G' && law !== 'W')
      throw new BrokenTrace(`${table.path}, line ${row.line}: dist is "${law}"; G or W is expected.`)
    const model = models.placeOf(name, sizeGbByName(name))
    const meanMs = 1000 / (rateOf(row) * scale)
    const variation = Math.min(variationMax, Math.max(0.01, variationOf(row)))
    const gap = () => meanMs * (law === 'G' ? drawGamma(random, variation) : drawWeibull(random, variation))
    const start = startOf(row) * 1000
    // Where a window begins is any place within a gap.
    for (let at = start + random.fraction() * gap(); at < start + windowMs; at += gap())
      requests.push({
        at,
        model,
        execMs: execSeconds * 1000 * random.between(0.5, 1.5),
        user: model + 1,
        class: 'interactive',
      })
  }
  requests.sort((a, b) => a.at - b.at || a.model - b.model)
  return {
    source: table.path,
    notes: [
      `Each client is a model of 2.5, 6.8 or 12 GB by name; a request takes ${execSeconds} s, give or take half.`,
      `Rates are ${scale.toPrecision(3)} of the recorded ones; arrivals are drawn from seed ${seed}.`,
    ],
    seed,
    models: models.models,
    requests,
  }
}
