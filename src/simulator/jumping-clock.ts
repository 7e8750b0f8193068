/** The clock of the server in a simulated world: it jumps, because the machine slept or somebody set its time, and the shell lets it never go back. */
import type { Millis } from '../scheduler/ids.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

export class JumpingClock {
  jumps = 0
  readonly #timeline: Timeline
  #offsetMs = 0
  #last = 0

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  now(): Millis {
    this.#last = Math.max(this.#last, this.#timeline.now + this.#offsetMs)
    return this.#last
  }

  /** Hours ahead, or some seconds back. */
  jump(random: Random): void {
    this.jumps += 1
    this.#offsetMs += random.chance(0.3) ? random.between(1_000, 7_200_000) : -random.between(10, 2_000)
  }
}
