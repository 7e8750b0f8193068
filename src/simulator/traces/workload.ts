/** What is to be served: models, and requests for them in the order of time. Times in milliseconds, sizes in bytes. */
import type { PriorityClass } from '../../scheduler/events.ts'
import type { Millis } from '../../scheduler/ids.ts'

export interface Workload {
  /** Where it comes from, for people. */
  readonly source: string
  /** What was assumed, left out or drawn, one sentence each. */
  readonly notes: readonly string[]
  /** Null = it was recorded, and is the same for every seed. */
  readonly seed: number | null
  readonly models: readonly WorkloadModel[]
  readonly requests: readonly WorkloadRequest[]
}

export interface WorkloadModel {
  readonly name: string
  readonly sizeBytes: number
  /** From cold. */
  readonly loadMs: Millis
}

export interface WorkloadRequest {
  readonly at: Millis
  /** Place in the list of models. */
  readonly model: number
  /** On a reference device, with the model loaded. */
  readonly execMs: Millis
  /** Whoever asks, numbered from 1; null = nobody in particular. */
  readonly user: number | null
  readonly class: PriorityClass
}

/** As decimal as the sizes that models are sold by. */
export const gigabyte = 1e9

/** The rule for models of which only the size is known: 3 s and 3 s per GB. */
export function loadMsOfSize(sizeGb: number): Millis {
  return Math.round((3 + 3 * sizeGb) * 1000)
}

/** Sizes that models come in, where nothing better is known. */
export const catalogueGb = [2.5, 6.8, 12] as const

/** The first `rows` requests. */
export function headOf(workload: Workload, rows: number): Workload {
  if (workload.requests.length <= rows) return workload
  return {
    ...workload,
    requests: workload.requests.slice(0, rows),
    notes: [...workload.notes, `Only the first ${rows} of ${workload.requests.length} requests.`],
  }
}

/** Without the models that no device could hold, and the requests for them. */
export function fittingIn(workload: Workload, bytes: number): Workload {
  const large = workload.models.filter(({ sizeBytes }) => sizeBytes > bytes)
  if (large.length === 0) return workload
  const requests = workload.requests.filter(({ model }) => Number(workload.models[model]?.sizeBytes) <= bytes)
  const left = workload.requests.length - requests.length
  const sentence = `${large.length} models are larger than a device; the ${left} requests for them are left out.`
  return { ...workload, requests, notes: [...workload.notes, sentence] }
}
