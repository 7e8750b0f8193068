/**
 * Keeps what was decided and what memory was lent, for who asks later: in small lots behind everything that jobs write. When more is decided than can
 * be kept, plain admissions are left out first. What is left out is counted.
 */
import type { Decision } from '../scheduler/explain/decisions.ts'
import type { SchedulerState } from '../scheduler/state.ts'
import { type Store, StoreClosed, StoreOverloaded } from '../store/store.ts'
import type { Allocations } from './allocations.ts'

const keepEveryMs = 500
/** Rows of each kind in a lot. */
const lotMax = 100
/** And in the last one, when nothing else is written any more. */
const lastLotMax = 2000
/** While so many rows wait to be written, nothing is added to them. */
const busyRows = 500

export interface HistoryFigures {
  /** Decisions and closed allocations that were never written. */
  readonly decisionsDropped: number
  readonly allocationsDropped: number
}

export class HistoryKeeper {
  readonly #state: Pick<SchedulerState, 'decisions'>
  readonly #allocations: Allocations
  readonly #store: Pick<Store, 'recordHistory' | 'metrics'>
  /** Decisions up to this number are written, or left out. */
  #decidedUpTo: number
  #decisionsDropped = 0
  /** Settles when no lot is on its way. */
  #underWay: Promise<unknown> = Promise.resolve()

  constructor(
    state: Pick<SchedulerState, 'decisions'>,
    allocations: Allocations,
    store: Pick<Store, 'recordHistory' | 'metrics'>,
  ) {
    this.#state = state
    this.#allocations = allocations
    this.#store = store
    this.#decidedUpTo = state.decisions.total
  }

  get figures(): HistoryFigures {
    return { decisionsDropped: this.#decisionsDropped, allocationsDropped: this.#allocations.dropped }
  }

  /** One lot, unless the store has enough to do. Resolves when it is written. */
  keep(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isIdle()) return
      const { accepting, queuedOperations } = this.#store.metrics
      if (accepting && queuedOperations < busyRows) await this.#write(lotMax)
    })
  }

  /** What is left, at the end, unless commits fail. Resolves after the commit. */
  keepLast(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#isIdle() && this.#store.metrics.accepting) await this.#write(lastLotMax)
    })
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#underWay.then(work)
    this.#underWay = done.catch(() => {})
    return done
  }

  #isIdle(): boolean {
    return this.#decidedUpTo === this.#state.decisions.total && this.#allocations.unwritten(1).length === 0
  }

  /** A lot that the database refuses would be refused again: it is left out. One that the store had no time for comes again. */
  async #write(limit: number): Promise<void> {
    const allocations = this.#allocations.unwritten(limit)
    const { decisions, upTo, leftOut } = this.#nextDecisions(limit)
    const advance = (dropped: number) => {
      this.#decidedUpTo = upTo
      this.#decisionsDropped += dropped
    }
    try {
      await this.#store.recordHistory({ decisions, allocations })
    } catch (error) {
      if (error instanceof StoreClosed || error instanceof StoreOverloaded) throw error
      advance(leftOut + decisions.length)
      this.#allocations.refused(allocations)
      throw error
    }
    advance(leftOut)
    this.#allocations.written(allocations)
  }

  #nextDecisions(limit: number): {
    readonly decisions: readonly Decision[]
    readonly upTo: number
    readonly leftOut: number
  } {
    const { decisions } = this.#state
    const from = Math.max(this.#decidedUpTo, decisions.dropped)
    let leftOut = from - this.#decidedUpTo
    const isTooMuch = decisions.total - from > limit
    const taken: Decision[] = []
    let upTo = from
    while (upTo < decisions.total && taken.length < limit) {
      upTo += 1
      const decision = decisions.at(upTo)
      if (isTooMuch && isRoutine(decision)) leftOut += 1
      else taken.push(decision)
    }
    return { decisions: taken, upTo, leftOut }
  }
}

/** Ends with `signal`. */
export function keepHistory(keeper: HistoryKeeper, signal: AbortSignal, onFailed: (error: unknown) => void): void {
  let isWriting = false
  const timer = setInterval(() => {
    if (isWriting) return
    isWriting = true
    keeper
      .keep()
      .catch((error: unknown) => {
        if (!(error instanceof StoreClosed)) onFailed(error)
      })
      .finally(() => (isWriting = false))
  }, keepEveryMs)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer))
}

function isRoutine({ kind, reason }: Decision): boolean {
  return kind === 'ADMIT' && reason === 'worker_has_room'
}
