/** The main thread's end of the writer: starts it, feeds it, and knows whether commits succeed. */
import { Worker } from 'node:worker_threads'
import { errorOf } from '../opening/errors.ts'
import type { OpeningRows } from '../opening/read-opening.ts'
import type { JobEvent } from '../records.ts'
import { StoreClosed } from '../store.ts'
import type { FromWriter, ToWriter, WriterSettings } from './messages.ts'
import { WriteQueue } from './write-queue.ts'

export interface Trouble {
  readonly message: string
  readonly retryInMs: number
}

export class WriterClient {
  readonly queue: WriteQueue
  readonly #thread: Worker
  readonly #opened = Promise.withResolvers<OpeningRows>()
  readonly #closed = Promise.withResolvers<number>()
  readonly #onDeath: (error: Error) => void
  #listener: (events: readonly JobEvent[]) => void = () => {}
  #state: 'opening' | 'open' | 'closing' = 'opening'
  /** Why the last commit failed; null while they succeed. */
  trouble: Trouble | null = null

  constructor(settings: WriterSettings, onDeath: (error: Error) => void) {
    this.#onDeath = onDeath
    // Only `close` waits for it, and it may never be called.
    this.#closed.promise.catch(() => {})
    this.#thread = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: settings,
      execArgv: [],
      name: 'store writer',
    })
    this.queue = new WriteQueue(
      (values) => this.#tell({ type: 'batch', values }),
      (events) => this.#listener(events),
    )
    this.#thread.on('message', (message: FromWriter) => this.#take(message))
    this.#thread.on('error', (error) => this.#die(error instanceof Error ? error : new Error(String(error))))
    this.#thread.on('exit', () => this.#die(new Error('The writer thread ended.')))
  }

  /** Rejects with FolderLockedError or DatabaseTooNewError. */
  get opened(): Promise<OpeningRows> {
    return this.#opened.promise
  }

  /** Hears the events of each commit, in order, before those who wait for the commit. */
  onCommit(listener: (events: readonly JobEvent[]) => void): void {
    this.#listener = listener
  }

  limitDatabase(bytes: number | null): void {
    this.#tell({ type: 'limitDatabase', bytes })
  }

  /** Writes what waits and ends the thread. Rejects when something could not be written. */
  async close(): Promise<void> {
    this.#state = 'closing'
    this.queue.sendAll()
    this.#tell({ type: 'close' })
    const lostBatches = await this.#closed.promise
    if (lostBatches === 0) return
    throw new Error(
      `The store closed without ${this.queue.rows} rows that could not be committed: ${this.trouble?.message}.`,
    )
  }

  #take(message: FromWriter): void {
    switch (message.type) {
      case 'committed':
        this.trouble = null
        return this.queue.committed(message.outcome)
      case 'trouble':
        this.trouble = { message: message.message, retryInMs: message.retryInMs }
        return
      case 'opened':
        this.#state = 'open'
        return this.#opened.resolve(message.opening)
      case 'refused':
        return this.#opened.reject(errorOf(message.refusal))
      case 'closed':
        return this.#closed.resolve(message.lostBatches)
      default:
        return message satisfies never
    }
  }

  /** Its end is expected when it refused to open, and after `closed`. */
  #die(error: Error): void {
    this.#opened.reject(error)
    this.#closed.reject(error)
    this.queue.fail(this.#state === 'closing' ? new StoreClosed() : error)
    if (this.#state === 'open') this.#onDeath(error)
  }

  #tell(message: ToWriter): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin.
    this.#thread.postMessage(message)
  }
}
