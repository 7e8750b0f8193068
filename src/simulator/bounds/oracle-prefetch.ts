/**
 * What prefetching could add to eviction: a clairvoyant that sees the requests of the next `horizonMs` loads what they need ahead of them, one model at
 * a time, in place of what is used again last. A request that needs a load goes first, and a load ahead of need gives way to it.
 */
import type { Millis } from '../../scheduler/ids.ts'
import type { Workload, WorkloadModel } from '../traces/workload.ts'
import { loadMsFrom, nextUses } from './future.ts'

/** Of the load times of all requests after `warmupRows`, what nobody had to wait for. One memory; models that do not fit are left out. */
export function oraclePrefetch(
  workload: Workload,
  memoryBytes: number,
  warmupRows: number,
  { horizonMs, compress = 1 }: { readonly horizonMs: Millis; readonly compress?: number },
): number {
  const oracle = new Oracle(workload, memoryBytes, horizonMs, compress)
  let waitedMs = 0
  for (const index of workload.requests.keys()) {
    const waitMs = oracle.serve(index)
    if (index >= warmupRows) waitedMs += waitMs
  }
  const allMs = loadMsFrom(workload, warmupRows)
  return allMs === 0 ? 0 : 1 - waitedMs / allMs
}

class Oracle {
  readonly #workload: Workload
  readonly #next: Float64Array
  readonly #memoryBytes: number
  readonly #horizonMs: Millis
  readonly #compress: number
  /** Index of the next request of each model that is there. */
  readonly #residents = new Map<number, number>()
  #usedBytes = 0
  /** The loader is free from then on. */
  #freeAt = 0
  #ahead: { readonly model: number; readonly endsAt: Millis } | null = null

  constructor(workload: Workload, memoryBytes: number, horizonMs: Millis, compress: number) {
    this.#workload = workload
    this.#next = nextUses(workload)
    this.#memoryBytes = memoryBytes
    this.#horizonMs = horizonMs
    this.#compress = compress
  }

  /** Answers how long the request waits for its model, at most as long as its load takes. */
  serve(index: number): Millis {
    const { model } = this.#request(index)
    const at = this.#timeOf(index)
    this.#loadAhead(index, at)
    const { loadMs, sizeBytes } = this.#model(model)
    if (sizeBytes > this.#memoryBytes) return loadMs
    const waitMs = this.#waitFor(model, at)
    this.#residents.set(model, this.#next[index] ?? Number.POSITIVE_INFINITY)
    return waitMs
  }

  #waitFor(model: number, at: Millis): Millis {
    const { loadMs } = this.#model(model)
    const ahead = this.#ahead
    if (ahead?.model === model) {
      this.#ahead = null
      this.#freeAt = ahead.endsAt
      return Math.min(loadMs, ahead.endsAt - at)
    }
    if (this.#residents.has(model)) return 0
    if (ahead) {
      this.#drop(ahead.model)
      this.#ahead = null
    }
    while (!this.#fits(model)) this.#drop(this.#farthest().model)
    this.#usedBytes += this.#model(model).sizeBytes
    this.#freeAt = Math.max(at, ahead ? at : this.#freeAt) + loadMs
    return loadMs
  }

  /** What the loader does until the request at `index` comes. */
  #loadAhead(index: number, until: Millis): void {
    if (this.#ahead && this.#ahead.endsAt > until) return
    if (this.#ahead) this.#freeAt = this.#ahead.endsAt
    this.#ahead = null
    while (this.#freeAt < until) {
      const wanted = this.#firstMissing(index)
      if (wanted === null) return
      const { model } = this.#request(wanted)
      const startedAt = Math.max(this.#freeAt, this.#timeOf(wanted) - this.#horizonMs)
      if (startedAt >= until || !this.#makeRoom(model, wanted)) return
      this.#residents.set(model, wanted)
      this.#usedBytes += this.#model(model).sizeBytes
      const endsAt = startedAt + this.#model(model).loadMs
      if (endsAt > until) {
        this.#ahead = { model, endsAt }
        return
      }
      this.#freeAt = endsAt
    }
  }

  /** Index of the first request from there on, within what can be seen before the one at `index` comes, whose model is not there. */
  #firstMissing(index: number): number | null {
    const seenUntil = this.#timeOf(index) + this.#horizonMs
    for (let each = index; each < this.#workload.requests.length && this.#timeOf(each) <= seenUntil; each += 1) {
      const { model } = this.#request(each)
      if (!this.#residents.has(model) && this.#model(model).sizeBytes <= this.#memoryBytes) return each
    }
    return null
  }

  /** Only in place of what is needed later. Changes nothing and answers false if that is not enough. */
  #makeRoom(model: number, wanted: number): boolean {
    const victims: number[] = []
    let missing = this.#usedBytes + this.#model(model).sizeBytes - this.#memoryBytes
    const byDistance = [...this.#residents].filter(([, next]) => next > wanted).sort((a, b) => b[1] - a[1])
    for (const [victim] of byDistance) {
      if (missing <= 0) break
      victims.push(victim)
      missing -= this.#model(victim).sizeBytes
    }
    if (missing > 0) return false
    for (const victim of victims) this.#drop(victim)
    return true
  }

  #fits(model: number): boolean {
    return this.#usedBytes + this.#model(model).sizeBytes <= this.#memoryBytes
  }

  #farthest(): { readonly model: number } {
    let farthest: { model: number; next: number } | null = null
    for (const [model, next] of this.#residents) if (!farthest || next > farthest.next) farthest = { model, next }
    if (!farthest) throw new Error('Nothing is resident, and yet there is no room.')
    return farthest
  }

  #drop(model: number): void {
    if (this.#residents.delete(model)) this.#usedBytes -= this.#model(model).sizeBytes
  }

  #request(index: number): { readonly model: number; readonly at: Millis } {
    const request = this.#workload.requests[index]
    if (!request) throw new Error(`There is no request ${index}.`)
    return request
  }

  #timeOf(index: number): Millis {
    return this.#request(index).at / this.#compress
  }

  #model(place: number): WorkloadModel {
    const model = this.#workload.models[place]
    if (!model) throw new Error(`There is no model ${place}.`)
    return model
  }
}
