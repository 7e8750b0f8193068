/**
 * A subscriber: a cursor into a log, and nothing else that grows. Written by hand, because an async generator that waits cannot be ended from
 * outside: its `return()` would wait for the very event that never comes.
 */
import type { JobEvent } from '../records.ts'
import { bytesOf } from './event-bytes.ts'
import { Waiters } from './waiters.ts'

/** A log as a reader sees it: the newest part in memory, the rest in the store. */
export interface EventSource {
  /** What comes after `cursor`: an event in memory, or where to wait for it. `older`: memory does not reach back so far. */
  look(cursor: number): JobEvent | Waiters | 'older' | 'end'
  /** A page of visible events from the store, in order. */
  readOlder(cursor: number): Promise<readonly JobEvent[]>
  /** Where to go on after `readOlder` had nothing; null = nowhere, this was the end. */
  whereMemoryBegins(): number | null
  /** What the event shows is gone: it is not given out. Asked of each event right before. */
  isGone(event: JobEvent): false | Promise<boolean>
  /** Nothing comes after this event. */
  isLast(event: JobEvent): boolean
}

/** So much is given out in one turn of the event loop. A reader that is always ready would never let its socket write. */
const turnEventsMax = 64
const turnBytesMax = 64 * 1024

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined }

export class EventReader implements AsyncIterableIterator<JobEvent, undefined> {
  readonly #source: EventSource
  #cursor: number
  #page: readonly JobEvent[] = []
  #placeInPage = 0
  #isDone = false
  #wake: (() => void) | null = null
  #turnEvents = 0
  #turnBytes = 0
  #previous: Promise<unknown> = Promise.resolve()

  constructor(source: EventSource, cursor: number) {
    this.#source = source
    this.#cursor = cursor
  }

  /** Calls that overlap are answered in order. */
  next(): Promise<IteratorResult<JobEvent, undefined>> {
    const result = this.#previous.then(() => this.#advance())
    this.#previous = result.catch(() => {})
    return result
  }

  /** Ends a `next` that waits, too. */
  return(): Promise<IteratorResult<JobEvent, undefined>> {
    this.#end()
    return Promise.resolve(ended)
  }

  throw(error?: unknown): Promise<IteratorResult<JobEvent, undefined>> {
    this.#end()
    return Promise.reject(error instanceof Error ? error : new Error(String(error)))
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  async #advance(): Promise<IteratorResult<JobEvent, undefined>> {
    while (!this.#isDone) {
      const found = this.#page[this.#placeInPage] ?? this.#source.look(this.#cursor)
      if (found === 'end') this.#end()
      else if (found === 'older') await this.#turnPage()
      else if (found instanceof Waiters) await this.#wait(found)
      else {
        if (this.#mustYield(found)) await this.#yieldTurn()
        const isGone = this.#source.isGone(found)
        if (isGone && (await isGone)) this.#skip(found)
        else if (!this.#isDone) return this.#give(found)
      }
    }
    return ended
  }

  #give(event: JobEvent): IteratorResult<JobEvent, undefined> {
    this.#skip(event)
    if (this.#source.isLast(event)) this.#end()
    return { done: false, value: event }
  }

  #skip({ sequence }: JobEvent): void {
    this.#cursor = sequence
    if (this.#placeInPage < this.#page.length) this.#placeInPage++
  }

  async #turnPage(): Promise<void> {
    this.#placeInPage = 0
    this.#page = []
    try {
      this.#page = await this.#source.readOlder(this.#cursor)
    } catch (error) {
      this.#end()
      throw error
    }
    if (this.#page.length > 0) return
    const begin = this.#source.whereMemoryBegins()
    if (begin === null) this.#end()
    else this.#cursor = Math.max(this.#cursor, begin)
  }

  async #wait(waiters: Waiters): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const leave = waiters.add(resolve)
    this.#wake = () => {
      leave()
      resolve()
    }
    await promise
    this.#wake = null
    this.#startTurn()
  }

  #mustYield(event: JobEvent): boolean {
    this.#turnEvents++
    this.#turnBytes += bytesOf(event)
    return this.#turnEvents > turnEventsMax || this.#turnBytes > turnBytesMax
  }

  async #yieldTurn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#startTurn()
  }

  #startTurn(): void {
    this.#turnEvents = 0
    this.#turnBytes = 0
  }

  #end(): void {
    this.#isDone = true
    this.#page = []
    this.#wake?.()
  }
}
