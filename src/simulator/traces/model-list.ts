/** The models of a workload as its rows name them; each gets a place in the order of its first request. */
import { crc32 } from 'node:zlib'
import type { Millis } from '../../scheduler/ids.ts'
import { catalogueGb, gigabyte, loadMsOfSize, type WorkloadModel } from './workload.ts'

export class ModelList {
  readonly models: WorkloadModel[] = []
  /** Rows that say something else of their model than its first row. */
  otherwise = 0
  readonly #places = new Map<string, number>()

  /** `loadMs` left out = by the rule for its size. */
  placeOf(name: string, sizeGb: number, loadMs: Millis = loadMsOfSize(sizeGb)): number {
    const sizeBytes = Math.round(sizeGb * gigabyte)
    const known = this.#places.get(name)
    if (known === undefined) {
      this.#places.set(name, this.models.length)
      this.models.push({ name, sizeBytes, loadMs })
      return this.models.length - 1
    }
    const model = this.models[known]
    if (model?.sizeBytes !== sizeBytes || model.loadMs !== loadMs) this.otherwise += 1
    return known
  }
}

/** Users as rows name them, numbered from 1 in the order of their first requests. */
export class UserList {
  readonly #numbers = new Map<string, number>()

  numberOf(name: string): number | null {
    if (name === '') return null
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    this.#numbers.set(name, this.#numbers.size + 1)
    return this.#numbers.size
  }
}

/** A size by the name alone, so that a model has the same one in every file. */
export function sizeGbByName(name: string, among: readonly number[] = catalogueGb): number {
  return among[crc32(name) % among.length] ?? 0
}
