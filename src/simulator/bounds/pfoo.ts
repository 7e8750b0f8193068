/**
 * What no eviction policy without prefetch can exceed (PFOO-L, Berger et al., SIGMETRICS 2018). Memory x time is handed out as if it could be shared
 * freely: each request takes its model's size for its own moment, and keeping a model until its next use takes its size for the moments between. The
 * intervals that save most load time for that are kept, until all memory of all moments is used up. Loose for memories that hold only a few models.
 */
import type { Workload } from '../traces/workload.ts'
import { loadMsFrom } from './future.ts'

interface Interval {
  readonly byteRows: number
  readonly savedMs: number
}

/** Of the load times of all requests after `warmupRows`, what could be saved at most. */
export function pfooBound(workload: Workload, memoryBytes: number, warmupRows: number): number {
  const { requests, models } = workload
  const last = new Map<number, number>()
  const intervals: Interval[] = []
  let left = memoryBytes * requests.length
  for (const [index, { model }] of requests.entries()) {
    const { sizeBytes = 0, loadMs = 0 } = models[model] ?? {}
    if (sizeBytes > memoryBytes) continue
    const before = last.get(model)
    last.set(model, index)
    left -= sizeBytes
    if (before === undefined || index < warmupRows) continue
    intervals.push({ byteRows: sizeBytes * (index - before - 1), savedMs: loadMs })
  }
  let savedMs = 0
  for (const interval of intervals.sort((a, b) => pricePerMs(a) - pricePerMs(b))) {
    if (interval.byteRows > left) {
      // A part of it: a bound has no need to be whole.
      savedMs += (interval.savedMs * Math.max(0, left)) / interval.byteRows
      break
    }
    left -= interval.byteRows
    savedMs += interval.savedMs
  }
  const loadMs = loadMsFrom(workload, warmupRows)
  return loadMs === 0 ? 0 : savedMs / loadMs
}

function pricePerMs({ byteRows, savedMs }: Interval): number {
  return byteRows / Math.max(1, savedMs)
}
