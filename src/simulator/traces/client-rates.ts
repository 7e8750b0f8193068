/**
 * Rates of many clients, from which requests are drawn: each client is a model of its own. A window has as many requests as its rate says; the gaps
 * between them follow its law. Rates are scaled down alike, and windows kept, so that about as many requests come out as are wanted.
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
const variationMin = 0.01
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
    const variation = Math.min(variationMax, Math.max(variationMin, variationOf(row)))
    const gap = () => (law === 'G' ? drawGamma(random, variation) : drawWeibull(random, variation))
    const start = startOf(row) * 1000
    const count = drawCount(random, (rateOf(row) * scale * windowMs) / 1000)
    for (const share of drawPlaces(count, gap)) {
      const execMs = execSeconds * 1000 * random.between(0.5, 1.5)
      requests.push({ at: start + share * windowMs, model, execMs, user: model + 1, class: 'interactive' })
    }
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

/** A whole number near what is expected. */
function drawCount(random: Random, expected: number): number {
  return Math.floor(expected) + (random.chance(expected % 1) ? 1 : 0)
}

/** So many ascending places in [0, 1), with gaps of the law between them and around them. */
function drawPlaces(count: number, gap: () => number): number[] {
  const gaps = Array.from({ length: count + 1 }, gap)
  const total = gaps.reduce((sum, each) => sum + each, 0)
  let sum = 0
  return gaps.slice(0, count).map((each) => {
    sum += each
    return total > 0 ? Math.min(sum / total, 1 - Number.EPSILON) : 0
  })
}
