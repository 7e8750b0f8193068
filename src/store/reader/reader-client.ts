/** The main thread's end of the reader. */
import { Worker } from 'node:worker_threads'
import { StoreClosed } from '../store.ts'
import type { FromReader, Question, ToReader } from './messages.ts'
import type { Queries, QueryName } from './queries.ts'

interface Waiting {
  readonly resolve: (rows: unknown) => void
  readonly reject: (error: Error) => void
}

export class ReaderClient {
  readonly #thread: Worker
  readonly #onDeath: (error: Error) => void
  readonly #waiting = new Map<number, Waiting>()
  readonly #ended = Promise.withResolvers<void>()
  #questions: Question[] = []
  #nextId = 1
  #state: 'open' | 'closing' | 'dead' = 'open'

  /** The database must exist. Questions may be asked at once. */
  constructor(folder: string, onDeath: (error: Error) => void) {
    this.#onDeath = onDeath
    this.#thread = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: folder,
      execArgv: [],
      name: 'store reader',
    })
    this.#thread.on('message', (answers: FromReader) => this.#take(answers))
    this.#thread.on('error', (error) => this.#die(error instanceof Error ? error : new Error(String(error))))
    this.#thread.on('exit', () => this.#die(new Error('The reader thread ended.')))
  }

  ask<Name extends QueryName>(
    query: Name,
    ...parameters: Parameters<Queries[Name]>
  ): Promise<ReturnType<Queries[Name]>> {
    if (this.#state !== 'open') return Promise.reject(new StoreClosed())
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<ReturnType<Queries[Name]>>()
    this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject })
    if (this.#questions.length === 0) setImmediate(() => this.#send())
    this.#questions.push({ id, query, parameters })
    return promise
  }

  /** Answers what was asked, then ends. */
  close(): Promise<void> {
    if (this.#state === 'open') {
      this.#send()
      this.#state = 'closing'
      this.#tell('close')
    }
    return this.#ended.promise
  }

  #send(): void {
    if (this.#questions.length === 0) return
    this.#tell(this.#questions)
    this.#questions = []
  }

  #take(answers: FromReader): void {
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if ('error' in answer) waiting?.reject(new Error(`The database could not be read: ${answer.error}`))
      else waiting?.resolve(answer.rows)
    }
  }

  #die(error: Error): void {
    const wasOpen = this.#state === 'open'
    this.#state = 'dead'
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
    this.#ended.resolve()
    if (wasOpen) this.#onDeath(error)
  }

  #tell(message: ToReader): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin.
    this.#thread.postMessage(message)
  }
}
