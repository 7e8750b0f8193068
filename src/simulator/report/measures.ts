/** What is counted while a workload is served. What happens before the first request that counts is left out. */
import type { PriorityClass } from '../../scheduler/events.ts'
import type { Millis } from '../../scheduler/ids.ts'
import type { WorkloadModel } from '../traces/workload.ts'

export interface ClassLatency {
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

export interface Shares {
  readonly busy: number
  readonly backlog: number
  readonly memory: number
}

export class Measures {
  requests = 0
  failed = 0
  loads = 0
  /** Of batch work from the backlog. */
  backlogLoads = 0
  backlogEnded = 0
  pauses = 0
  readonly #latencies: Record<PriorityClass, number[]> = { interactive: [], batch: [] }
  readonly #busyMs: number[]
  readonly #residentBytes: number[]
  readonly #memoryBytes: number
  #asked = { bytes: 0, loadMs: 0 }
  #loaded = { bytes: 0, loadMs: 0 }
  #backlogMs = 0
  #since: Millis | null = null
  #filledUntil: Millis = 0
  #filled = 0
  #byteMs = 0

  constructor(devices: number, memoryBytes: number) {
    this.#busyMs = Array.from({ length: devices }, () => 0)
    this.#residentBytes = Array.from({ length: devices }, () => 0)
    this.#memoryBytes = devices * memoryBytes
  }

  /** From now on it counts. */
  begin(now: Millis): void {
    this.#since = now
    this.#filledUntil = now
  }

  asked({ sizeBytes, loadMs }: WorkloadModel): void {
    if (this.#since === null) return
    this.requests += 1
    this.#asked.bytes += sizeBytes
    this.#asked.loadMs += loadMs
  }

  loadBegan({ sizeBytes, loadMs }: WorkloadModel, isBacklog: boolean): void {
    if (this.#since === null) return
    if (isBacklog) {
      this.backlogLoads += 1
      return
    }
    this.loads += 1
    this.#loaded.bytes += sizeBytes
    this.#loaded.loadMs += loadMs
  }

  /** Of a device, in bytes: a model came (positive) or went (negative). */
  filled(device: number, bytes: number, now: Millis): void {
    this.#passTime(now)
    this.#residentBytes[device] = (this.#residentBytes[device] ?? 0) + bytes
    this.#filled += bytes
  }

  computed(device: number, ms: Millis, isBacklog: boolean): void {
    if (this.#since === null) return
    this.#busyMs[device] = (this.#busyMs[device] ?? 0) + ms
    if (isBacklog) this.#backlogMs += ms
  }

  served(priority: PriorityClass, latencyMs: Millis): void {
    this.#latencies[priority].push(latencyMs)
  }

  /** Seconds; null if there was none. */
  latencySeconds(priority: PriorityClass): ClassLatency | null {
    return latencyOf(this.#latencies[priority])
  }

  latencyOfAll(): ClassLatency | null {
    return latencyOf([...this.#latencies.interactive, ...this.#latencies.batch])
  }

  /** Share of the requests, of their bytes, and of their load times that needed no load. */
  saved(): { readonly hitRatio: number; readonly byteHitRatio: number; readonly costSavedRatio: number } {
    return {
      hitRatio: 1 - this.loads / Math.max(1, this.requests),
      byteHitRatio: 1 - this.#loaded.bytes / Math.max(1, this.#asked.bytes),
      costSavedRatio: 1 - this.#loaded.loadMs / Math.max(1, this.#asked.loadMs),
    }
  }

  /** Jain's index of the work of the devices: 1 = all have done the same. */
  jainFairness(): number {
    let sum = 0
    let squares = 0
    for (const ms of this.#busyMs) {
      sum += ms
      squares += ms * ms
    }
    return squares === 0 ? 1 : (sum * sum) / (this.#busyMs.length * squares)
  }

  /** Of the time of all devices: what they computed in, and of that the backlog's part; and of their memory what models filled. */
  shares(now: Millis): Shares {
    this.#passTime(now)
    const elapsedMs = Math.max(1, now - (this.#since ?? now))
    const deviceMs = elapsedMs * this.#busyMs.length
    const busyMs = this.#busyMs.reduce((sum, ms) => sum + ms, 0)
    return {
      busy: busyMs / deviceMs,
      backlog: this.#backlogMs / deviceMs,
      memory: this.#byteMs / (elapsedMs * this.#memoryBytes),
    }
  }

  #passTime(now: Millis): void {
    if (this.#since !== null) this.#byteMs += this.#filled * (now - this.#filledUntil)
    this.#filledUntil = now
  }
}

function latencyOf(latencies: readonly number[]): ClassLatency | null {
  if (latencies.length === 0) return null
  const sorted = Float64Array.from(latencies).sort()
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0) / 1000
  const mean = sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length / 1000
  return { count: sorted.length, mean, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
