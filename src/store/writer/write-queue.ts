/**
 * Collects what the main thread wants written, and hands it over in batches: everything of a tick in one message, one commit. While a batch
 * is under way the next one collects, so that a slow disk makes batches larger, not the line longer. Order is kept.
 */
import type { JobEvent } from '../records.ts'
import { StoreClosed } from '../store.ts'
import type { BatchResults } from './apply-batch.ts'
import { append, type Primitive } from './message-values.ts'
import { type OperationName, operationCodes } from './operations.ts'

/** Batches that the writer has and has not committed. One: while it commits, the next batch collects, so commits are as few as can be. */
const batchesInFlightMax = 1
/** A batch is closed at so many rows or bytes: nobody waits long for a commit because a neighbour writes much. */
const batchRowsMax = 2000
const batchBytesMax = 4 * 1024 * 1024
/** Progress may wait so long for something urgent to ride along with. */
const lazyMs = 50

export interface Write {
  readonly operation: OperationName
  readonly write: (values: Primitive[]) => void
  /** What it counts for in the limits. */
  readonly rows: number
  readonly bytes: number
  /** What it has put into the event log, given its result; told to the listener with the commit, before the promise resolves. */
  readonly events?: (result: unknown) => readonly JobEvent[]
  /** False: it waits up to 50 ms for company. */
  readonly urgent: boolean
}

interface Pending {
  readonly write: Write
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

class Batch {
  readonly values: Primitive[] = []
  readonly pending: Pending[] = []
  rows = 0
  bytes = 0

  get isFull(): boolean {
    return this.rows >= batchRowsMax || this.bytes >= batchBytesMax
  }
}

export class WriteQueue {
  readonly #post: (values: readonly Primitive[]) => void
  readonly #onCommitted: (events: readonly JobEvent[]) => void
  readonly #inFlight: Batch[] = []
  readonly #full: Batch[] = []
  #open = new Batch()
  /** Something is to be sent as soon as the writer has room. */
  #isDue = false
  #tick: NodeJS.Immediate | null = null
  #lazyTimer: NodeJS.Timeout | null = null
  #rows = 0
  #bytes = 0
  #commits = 0
  #isClosed = false

  constructor(post: (values: readonly Primitive[]) => void, onCommitted: (events: readonly JobEvent[]) => void) {
    this.#post = post
    this.#onCommitted = onCommitted
  }

  get rows(): number {
    return this.#rows
  }
  get bytes(): number {
    return this.#bytes
  }
  get commits(): number {
    return this.#commits
  }

  /** Resolves after the commit with the operation's result. */
  add<Result>(write: Write): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new StoreClosed())
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    if (this.#open.isFull) {
      this.#full.push(this.#open)
      this.#open = new Batch()
    }
    append(this.#open.values, operationCodes[write.operation], write.write)
    this.#open.pending.push({ write, resolve: resolve as Pending['resolve'], reject })
    this.#open.rows += write.rows
    this.#open.bytes += write.bytes
    this.#rows += write.rows
    this.#bytes += write.bytes
    if (write.urgent) this.#sendSoon()
    else this.#lazyTimer ??= setTimeout(() => this.#sendSoon(), lazyMs)
    return promise
  }

  /** The oldest batch in flight is committed. */
  committed(outcome: BatchResults | null): void {
    const batch = this.#inFlight.shift()
    if (!batch) throw new Error('The writer committed a batch that nobody sent.')
    this.#commits++
    this.#rows -= batch.rows
    this.#bytes -= batch.bytes
    const failures = new Map(outcome?.failures)
    const results = new Map(outcome?.results)
    this.#publish(batch, failures, results)
    for (const [place, { write, resolve, reject }] of batch.pending.entries()) {
      const failure = failures.get(place)
      if (failure === undefined) resolve(results.get(place))
      else reject(new Error(`The database refused a ${write.operation}: ${failure}`))
    }
    if (this.#isDue) this.#sendSoon()
  }

  /** All events of the commit in one call, in their order, before anybody who waits for the commit goes on. */
  #publish({ pending }: Batch, failures: ReadonlyMap<number, string>, results: ReadonlyMap<number, unknown>): void {
    const events: JobEvent[] = []
    for (const [place, { write }] of pending.entries()) {
      if (write.events && !failures.has(place)) events.push(...write.events(results.get(place)))
    }
    if (events.length > 0) this.#onCommitted(events)
  }

  /** The last of all: sends what waits without regard to what is under way, and takes nothing more. */
  sendAll(): void {
    this.#stopTimers()
    this.#isClosed = true
    for (let batch = this.#full.shift() ?? this.#takeOpen(); batch; batch = this.#full.shift() ?? this.#takeOpen()) {
      this.#inFlight.push(batch)
      this.#post(batch.values)
    }
  }

  /** The writer is gone: nothing that waits will ever be committed. */
  fail(error: Error): void {
    this.#stopTimers()
    this.#isClosed = true
    const batches = [...this.#inFlight.splice(0), ...this.#full.splice(0), this.#open]
    this.#open = new Batch()
    for (const { pending } of batches) for (const { reject } of pending) reject(error)
  }

  /** At the end of this tick, so that what the tick still brings goes along; or when the writer has room again. */
  #sendSoon(): void {
    this.#isDue = true
    this.#tick ??= setImmediate(() => this.#send())
  }

  #send(): void {
    this.#stopTimers()
    while (this.#inFlight.length < batchesInFlightMax) {
      const batch = this.#full.shift() ?? this.#takeOpen()
      if (!batch) break
      this.#inFlight.push(batch)
      this.#post(batch.values)
    }
    this.#isDue = this.#full.length > 0 || this.#open.pending.length > 0
  }

  #stopTimers(): void {
    if (this.#tick) clearImmediate(this.#tick)
    if (this.#lazyTimer) clearTimeout(this.#lazyTimer)
    this.#tick = null
    this.#lazyTimer = null
  }

  #takeOpen(): Batch | null {
    if (this.#open.pending.length === 0) return null
    const batch = this.#open
    this.#open = new Batch()
    return batch
  }
}
