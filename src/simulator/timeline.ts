/** What is going to happen, in the order of time; what is set for the same time happens in the order in which it was set. */

import type { Millis } from '../scheduler/ids.ts'
import { Heap } from '../scheduler/queues/heap.ts'

interface Happening {
  readonly at: Millis
  readonly sequence: number
  readonly happen: () => void
}

export class Timeline {
  now: Millis
  readonly #heap = new Heap<Happening>((a, b) => a.at < b.at || (a.at === b.at && a.sequence < b.sequence))
  #sequence = 0

  constructor(now: Millis) {
    this.now = now
  }

  after(delayMs: number, happen: () => void): void {
    this.at(this.now + delayMs, happen)
  }

  at(at: Millis, happen: () => void): void {
    this.#sequence += 1
    this.#heap.add({ at: Math.max(at, this.now), sequence: this.#sequence, happen })
  }

  /** Lets the next thing happen if that is before `end`. */
  advance(end: Millis): boolean {
    const next = this.#heap.first()
    if (!next || next.at > end) return false
    this.#heap.takeFirst()
    this.now = next.at
    next.happen()
    return true
  }
}
