/** The wires between a simulated server and its workers: messages take a while, do not overtake each other, and are held up while a wire is cut. */
import type { SchedulerEvent } from '../scheduler/events.ts'
import type { Millis, WorkerId } from '../scheduler/ids.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

interface HeldMessage {
  readonly arrive: () => void
  /** What the worker has said; null = it was said to the worker. */
  readonly event: SchedulerEvent | null
}

export class Wires {
  readonly #random: Random
  readonly #timeline: Timeline
  /** When the last message on each wire arrives. */
  readonly #arrivals = new Map<string, Millis>()
  readonly #cut = new Map<WorkerId, HeldMessage[]>()

  constructor(random: Random, timeline: Timeline) {
    this.#random = random
    this.#timeline = timeline
  }

  deliver(to: 'worker' | 'server', workerId: WorkerId, arrive: () => void, event: SchedulerEvent | null = null): void {
    const wire = `${to} ${workerId}`
    const at = Math.max(this.#timeline.now + this.#random.between(0, 2), this.#arrivals.get(wire) ?? 0)
    this.#arrivals.set(wire, at)
    this.#timeline.at(at, () => {
      const held = this.#cut.get(workerId)
      if (held) held.push({ arrive, event })
      else arrive()
    })
  }

  /** Nothing gets through any more, in either direction; also what is on its way. */
  cut(workerId: WorkerId): void {
    if (!this.#cut.has(workerId)) this.#cut.set(workerId, [])
  }

  isCut(workerId: WorkerId): boolean {
    return this.#cut.has(workerId)
  }

  /** What was held up arrives, in its order. */
  heal(workerId: WorkerId): void {
    const held = this.#cut.get(workerId) ?? []
    this.#cut.delete(workerId)
    for (const { arrive } of held) arrive()
  }

  /** The worker is given up. Answers what it had said and nobody heard. */
  abandon(workerId: WorkerId): SchedulerEvent[] {
    const held = this.#cut.get(workerId) ?? []
    this.#cut.delete(workerId)
    return held.flatMap(({ event }) => event ?? [])
  }

  clear(): void {
    this.#arrivals.clear()
    this.#cut.clear()
  }
}
