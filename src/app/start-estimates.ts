/**
 * How good the estimates are: whoever asks when a waiting job will start is told a time, and when it does start, the first such time is compared with
 * it. The latest errors are kept.
 */
import type { JobId, Millis } from '../scheduler/ids.ts'

/** Jobs whose estimate waits for their start; beyond that the oldest are let go. */
const waitingMax = 10_000
const errorsMax = 1000

/** Actual minus estimated start, of the latest jobs that somebody had asked about. */
export interface EstimateError {
  readonly count: number
  readonly medianMs: Millis
  /** Nine of ten estimates were off by no more, early or late. */
  readonly p90AbsoluteMs: Millis
}

export class StartEstimates {
  readonly #waiting = new Map<JobId, Millis>()
  readonly #errors: Millis[] = []
  #next = 0

  /** Somebody was told that it would start then. */
  told(jobId: JobId, startAt: Millis): void {
    if (this.#waiting.has(jobId)) return
    this.#waiting.set(jobId, startAt)
    const [oldest] = this.#waiting.keys()
    if (this.#waiting.size > waitingMax && oldest !== undefined) this.#waiting.delete(oldest)
  }

  started(jobId: JobId, now: Millis): void {
    const startAt = this.#waiting.get(jobId)
    if (startAt === undefined) return
    this.#waiting.delete(jobId)
    this.#errors[this.#next % errorsMax] = now - startAt
    this.#next += 1
  }

  /** It was paused, or ended before it began: nobody's fault. */
  forget(jobId: JobId): void {
    this.#waiting.delete(jobId)
  }

  /** Null before the first. */
  error(): EstimateError | null {
    if (this.#errors.length === 0) return null
    return {
      count: this.#errors.length,
      medianMs: quantile(this.#errors, 0.5),
      p90AbsoluteMs: quantile(this.#errors.map(Math.abs), 0.9),
    }
  }
}

function quantile(values: readonly Millis[], share: number): Millis {
  const ordered = [...values].sort((a, b) => a - b)
  return ordered[Math.max(0, Math.ceil(share * ordered.length) - 1)] ?? 0
}
