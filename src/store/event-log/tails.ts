/** Keeps all events in memory together within a bound: jobs that have said nothing for longest lose theirs first. */
import type { JobLog } from './job-log.ts'

export interface TailLimits {
  readonly jobBytesMax: number
  readonly totalBytesMax: number
}

export class Tails {
  readonly #limits: TailLimits
  readonly #onEmpty: (job: JobLog) => void
  /** Jobs with events in memory; who spoke last is last. */
  readonly #jobs = new Set<JobLog>()
  #bytes = 0

  /** `onEmpty`: nothing of the job is left in memory. */
  constructor(limits: TailLimits, onEmpty: (job: JobLog) => void) {
    this.#limits = limits
    this.#onEmpty = onEmpty
  }

  get bytes(): number {
    return this.#bytes
  }

  /** `job` has grown from `bytesBefore`. */
  grown(job: JobLog, bytesBefore: number): void {
    this.#bytes += job.tailBytes - bytesBefore
    this.#jobs.delete(job)
    this.#jobs.add(job)
    const { jobBytesMax, totalBytesMax } = this.#limits
    // To half, so that a long job does not shift its events one by one.
    if (job.tailBytes > jobBytesMax) this.#evict(job, jobBytesMax / 2)
    for (const idle of this.#jobs) {
      if (this.#bytes <= totalBytesMax) return
      this.#evict(idle, 0)
    }
  }

  #evict(job: JobLog, bytesMax: number): void {
    const before = job.tailBytes
    job.evict(bytesMax)
    this.#bytes += job.tailBytes - before
    if (job.tailBytes > 0) return
    this.#jobs.delete(job)
    this.#onEmpty(job)
  }
}
