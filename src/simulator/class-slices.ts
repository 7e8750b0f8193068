/** Batch work has its share of a worker's time, however much interactive work there is: section 8 of PROTOCOL.md, as workers have it in class_slices.py. */
import type { PriorityClass } from '../scheduler/events.ts'

const batchShare = 0.05
const sliceMs = 50
const savedMsMax = 500

export class ClassSlices {
  #owedMs = 0

  /** The next step is one of batch work, if any is ready. */
  get isBatchDue(): boolean {
    return this.#owedMs >= sliceMs
  }

  /** A step took so long. `isBatchWaiting`: batch work could have had it. */
  computed(priorityClass: PriorityClass, ms: number, isBatchWaiting: boolean): void {
    if (priorityClass === 'batch') this.#owedMs = Math.max(this.#owedMs - (1 - batchShare) * ms, -savedMsMax)
    else if (isBatchWaiting) this.#owedMs += batchShare * ms
    else this.#owedMs = Math.min(this.#owedMs, 0)
  }
}
