/**
 * A workload of our own, drawn from a seed, with the character of recorded ones: few models are asked for often and many rarely, users come in sessions
 * that stay with their model or switch, days have their rhythm, and some requests are far longer than most.
 */
import { Random } from '../random.ts'
import { drawLogNormal } from './laws.ts'
import {
  catalogueGb,
  gigabyte,
  loadMsOfSize,
  type Workload,
  type WorkloadModel,
  type WorkloadRequest,
} from './workload.ts'

export interface GeneratedOptions {
  readonly seed: number
  /** About so many, over so many days. */
  readonly requests: number
  readonly days: number
  readonly models: number
  readonly users: number
  /** Of the sessions, those whose requests are batch work. */
  readonly batchShare: number
}

export const generatedDefaults: Omit<GeneratedOptions, 'seed'> = {
  requests: 10_000,
  days: 10,
  models: 60,
  users: 1500,
  batchShare: 0.1,
}

const dayMs = 86_400_000
/** How steeply popularity falls with rank. */
const popularityExponent = 1.3
const switchChance = 0.28
const requestsPerSession = 6
const gapMs = { median: 73_000, sigma: 1 }
const execMs = { median: 22_000, sigma: 0.6 }

export function generateWorkload(options: Partial<GeneratedOptions> & { readonly seed: number }): Workload {
  const all = { ...generatedDefaults, ...options }
  const random = new Random(all.seed)
  const models = Array.from({ length: all.models }, (_, place) => drawModel(random, place))
  const popularity = new Popularity(all.models)
  const requests: WorkloadRequest[] = []
  while (requests.length < all.requests) drawSession(random, all, popularity, requests)
  requests.length = all.requests
  requests.sort((a, b) => a.at - b.at || a.model - b.model || a.execMs - b.execMs)
  return {
    source: 'generated',
    notes: [`Drawn from seed ${all.seed}: ${all.requests} requests in ${all.days} days for ${all.models} models.`],
    seed: all.seed,
    models,
    requests,
  }
}

function drawModel(random: Random, place: number): WorkloadModel {
  const sizeGb = random.pick(catalogueGb)
  return { name: `model-${place}`, sizeBytes: Math.round(sizeGb * gigabyte), loadMs: loadMsOfSize(sizeGb) }
}

function drawSession(
  random: Random,
  { days, users, batchShare }: GeneratedOptions,
  popularity: Popularity,
  requests: WorkloadRequest[],
): void {
  const user = random.whole(1, users)
  const priority = random.chance(batchShare) ? 'batch' : 'interactive'
  let at = drawStart(random, days)
  let model = popularity.draw(random)
  do {
    requests.push({ at, model, user, class: priority, execMs: drawLogNormal(random, execMs.median, execMs.sigma) })
    at += drawLogNormal(random, gapMs.median, gapMs.sigma)
    if (random.chance(switchChance)) model = popularity.draw(random)
  } while (random.chance(1 - 1 / requestsPerSession))
}

/** Three times as many in the middle of the day as at night. */
function drawStart(random: Random, days: number): number {
  for (;;) {
    const day = random.fraction() * days
    if (random.chance((2 - Math.cos(2 * Math.PI * day)) / 3)) return day * dayMs
  }
}

/** Zipf's law: the model of rank r is asked for in proportion to r ** -exponent. */
class Popularity {
  readonly #sums: number[] = []

  constructor(models: number) {
    let sum = 0
    for (let rank = 1; rank <= models; rank += 1) {
      sum += rank ** -popularityExponent
      this.#sums.push(sum)
    }
  }

  draw(random: Random): number {
    const wanted = random.fraction() * (this.#sums.at(-1) ?? 0)
    const place = this.#sums.findIndex((sum) => sum >= wanted)
    return place < 0 ? this.#sums.length - 1 : place
  }
}
