/**
 * Time as a watch over others may count it. When this process itself did not run for a while (its event loop was busy, the machine slept, the process
 * was stopped), whoever it waits for may have answered long ago: such a gap counts for no more than the longest that is usual between two looks.
 */
export class PatientClock {
  readonly #now: () => number
  readonly #gapMsMax: number
  #lookedAt: number
  /** What of the real time was not counted. */
  #lostMs = 0

  /** `now`: milliseconds of a clock that never goes back. `gapMsMax`: a longer time between two looks is a stall. */
  constructor(now: () => number, gapMsMax: number) {
    this.#now = now
    this.#gapMsMax = gapMsMax
    this.#lookedAt = now()
  }

  /** To be called at regular intervals. True if this process had stalled: what was said to it meanwhile may lie unread. */
  look(): boolean {
    const now = this.#now()
    const gapMs = now - this.#lookedAt
    this.#lookedAt = now
    if (gapMs <= this.#gapMsMax) return false
    this.#lostMs += gapMs - this.#gapMsMax
    return true
  }

  /** Never goes back, whatever a stall takes out of it. */
  now(): number {
    return Math.min(this.#now(), this.#lookedAt + this.#gapMsMax) - this.#lostMs
  }
}
