/** The newest state changes of all jobs, in the order of their numbers, for readers that keep up; others read the store until they have caught up. */
import type { JobEvent } from '../records.ts'
import { Waiters } from './waiters.ts'

export class ChangeRing {
  readonly waiters = new Waiters()
  readonly #capacity: number
  readonly #events: JobEvent[] = []
  /** Place of the oldest, once the ring is full. */
  #start = 0
  #evictedThrough: number

  constructor(capacity: number, evictedThrough: number) {
    this.#capacity = capacity
    this.#evictedThrough = evictedThrough
  }

  /** Everything after this number is here. */
  get evictedThrough(): number {
    return this.#evictedThrough
  }

  push(event: JobEvent): void {
    if (this.#events.length < this.#capacity) {
      this.#events.push(event)
      return
    }
    this.#evictedThrough = this.#at(0).sequence
    this.#events[this.#start] = event
    this.#start = (this.#start + 1) % this.#capacity
  }

  /** The first after `cursor`, which must not lie before `evictedThrough`. */
  after(cursor: number): JobEvent | null {
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#at(middle).sequence > cursor) high = middle
      else low = middle + 1
    }
    return low < this.#events.length ? this.#at(low) : null
  }

  /** By age, 0 = oldest. */
  #at(index: number): JobEvent {
    return this.#events[(this.#start + index) % this.#capacity] as JobEvent
  }
}
