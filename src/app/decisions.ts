/** Decisions for whoever asks: the newest from the scheduler's ring, older ones from the store, and the stream of those to come. */
import { type Decision, type DecisionFilter, isWanted } from '../scheduler/explain/decisions.ts'
import type { SchedulerState } from '../scheduler/state.ts'
import type { PageRequest, Store } from '../store/store.ts'
import { Topic } from './topic.ts'

/** A reader that is further behind skips. */
const keptForReaders = 1024

export class Decisions {
  readonly #state: Pick<SchedulerState, 'decisions'>
  readonly #store: Pick<Store, 'readDecision' | 'readDecisions' | 'countDecisions'>
  readonly #topic = new Topic<Decision>(keptForReaders)
  #readers = 0
  /** Decisions up to this number have been published, or came while nobody read. */
  #published: number

  constructor(
    state: Pick<SchedulerState, 'decisions'>,
    store: Pick<Store, 'readDecision' | 'readDecisions' | 'countDecisions'>,
  ) {
    this.#state = state
    this.#store = store
    this.#published = state.decisions.total
  }

  /** The scheduler has taken a step. */
  stepped(): void {
    const { decisions } = this.#state
    if (this.#readers > 0)
      for (let next = Math.max(this.#published, decisions.dropped) + 1; next <= decisions.total; next += 1)
        this.#topic.publish(decisions.at(next))
    this.#published = decisions.total
  }

  /** Those to come. */
  read(filter: DecisionFilter): AsyncIterableIterator<Decision> {
    const stream = this.#topic.read((decision) => isWanted(filter, decision))
    this.#readers += 1
    let isOpen = true
    const end = () => {
      if (isOpen) this.#readers -= 1
      isOpen = false
      return stream.return?.() ?? Promise.resolve({ done: true as const, value: undefined })
    }
    return {
      next: () => stream.next(),
      return: end,
      throw: end,
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  /** Ends every reader. */
  close(): void {
    this.#topic.close()
  }

  /** The latest of those that are still in the ring. */
  latest(filter: DecisionFilter): Decision | null {
    for (const decision of this.#state.decisions.read(filter)) return decision
    return null
  }

  async find(sequence: number): Promise<Decision | null> {
    const { decisions } = this.#state
    if (sequence > decisions.total) return null
    return sequence > decisions.dropped ? decisions.at(sequence) : this.#store.readDecision(sequence)
  }

  /** Newest first; `beforeId` is a decision's number. */
  async page(filter: DecisionFilter, { first, beforeId }: PageRequest): Promise<Decision[]> {
    const { decisions } = this.#state
    const found: Decision[] = []
    const before = beforeId ?? Number.POSITIVE_INFINITY
    for (const decision of decisions.read(filter, before)) {
      if (found.length >= first) return found
      found.push(decision)
    }
    if (found.length >= first) return found
    const older = { first: first - found.length, beforeId: Math.min(before, decisions.dropped + 1) }
    return [...found, ...(await this.#store.readDecisions(filter, older))]
  }

  async count(filter: DecisionFilter): Promise<number> {
    const { decisions } = this.#state
    return decisions.count(filter) + (await this.#store.countDecisions(filter, decisions.dropped + 1))
  }
}
