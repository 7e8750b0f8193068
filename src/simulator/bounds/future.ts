/** What a clairvoyant knows: for each request, which one is the next of the same model. */
import type { Workload } from '../traces/workload.ts'

/** Infinite where there is none. */
export function nextUses({ requests, models }: Workload): Float64Array {
  const next = new Float64Array(requests.length)
  const seen = new Float64Array(models.length).fill(Number.POSITIVE_INFINITY)
  for (let index = requests.length - 1; index >= 0; index -= 1) {
    const { model } = requests[index] ?? { model: 0 }
    next[index] = seen[model] ?? Number.POSITIVE_INFINITY
    seen[model] = index
  }
  return next
}

export function loadMsFrom({ requests, models }: Workload, firstRow: number): number {
  let sumMs = 0
  for (const { model } of requests.slice(firstRow)) sumMs += models[model]?.loadMs ?? 0
  return sumMs
}
