/**
 * One job's log as far as it is in memory: the newest events that may be seen, those that may not be seen yet, and what is being coalesced.
 * What is visible is always a prefix: behind a state change that is not committed, everything waits.
 */
import type { JobId } from '../../scheduler/ids.ts'
import { isTerminal, type JobEvent, type JobPatch, type JobRecord, type JobState } from '../records.ts'
import { bytesOf } from './event-bytes.ts'
import type { Progress } from './progress.ts'
import { Waiters } from './waiters.ts'

/** Null as event: only the record changes. */
interface Hidden {
  readonly event: JobEvent | null
  readonly patch: JobPatch
}

export class JobLog {
  readonly jobId: JobId
  /** UTF-16 code units that each item of text has so far. */
  offsets: Map<number, number> | null = null
  record: JobRecord | null = null
  /** As decided, committed or not. */
  state: JobState
  attempt: number
  /** A first text, value or preview of this attempt has been numbered. */
  hasPartial = false
  progress: Progress | null = null
  /** Changes of the record that no write has carried yet. */
  unsaved: JobPatch = {}

  #hidden: Hidden[] = []
  #tail: JobEvent[] = []
  #tailBytes = 0
  /** Numbers of the newest previews that may be seen, by item. */
  #previews: Map<number, number> | null = null
  /** Items whose previews nobody may see. */
  #withdrawn: Set<number> | null = null
  /** The greatest number that memory may lack, that may be seen, that is committed. */
  #evictedThrough: number
  #visibleThrough = 0
  #committedThrough = 0
  #hasEnded = false
  #waiters: Waiters | null = null

  constructor(jobId: JobId, state: JobState, attempt: number, evictedThrough: number) {
    this.jobId = jobId
    this.state = state
    this.attempt = attempt
    this.#evictedThrough = evictedThrough
  }

  get tailBytes(): number {
    return this.#tailBytes
  }
  get evictedThrough(): number {
    return this.#evictedThrough
  }
  get visibleThrough(): number {
    return Math.max(this.#visibleThrough, this.#evictedThrough)
  }

  /** Made when somebody first waits: most of many waiting jobs have no reader. */
  get waiters(): Waiters {
    return (this.#waiters ??= new Waiters())
  }
  get waitingReaders(): number {
    return this.#waiters?.count ?? 0
  }
  wakeReaders(): void {
    this.#waiters?.wakeAll()
  }

  hide(event: JobEvent | null, patch: JobPatch): void {
    this.#hidden.push({ event, patch })
  }

  committed(event: JobEvent): void {
    this.#committedThrough = event.sequence
  }

  /** Shows what may be seen now, patching the record as it goes. `isReserved`: the number would survive a crash. */
  release(isReserved: (sequence: number) => boolean, show: (event: JobEvent) => void): void {
    for (let head = this.#hidden[0]; head && this.#maySee(head.event, isReserved); head = this.#hidden[0]) {
      this.#hidden.shift()
      if (this.record) Object.assign(this.record, head.patch)
      if (!head.event) continue
      this.#visibleThrough = head.event.sequence
      this.#tail.push(head.event)
      this.#tailBytes += bytesOf(head.event)
      this.#notePreview(head.event)
      this.#hasEnded = head.event.to !== null && isTerminal(head.event.to)
      show(head.event)
    }
  }

  /** Also of those that are not committed yet. */
  withdrawPreviews(items: readonly number[]): void {
    this.#withdrawn = new Set([...(this.#withdrawn ?? []), ...items])
  }

  /** The first visible event after `cursor`, which must not lie before `evictedThrough`. Without previews that are withdrawn, or that a newer one of their item follows. */
  after(cursor: number): JobEvent | null {
    let low = 0
    let high = this.#tail.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#tail[middle] as JobEvent).sequence > cursor) high = middle
      else low = middle + 1
    }
    while (this.#isLeftOut(this.#tail[low])) low++
    return this.#tail[low] ?? null
  }

  /** Its final event has been shown. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Forgets the oldest events, which readers then find in the store, until at most `bytesMax` are left or the rest is not committed. */
  evict(bytesMax: number): void {
    let count = 0
    for (const event of this.#tail) {
      if (this.#tailBytes <= bytesMax || event.sequence > this.#committedThrough) break
      this.#tailBytes -= bytesOf(event)
      this.#evictedThrough = event.sequence
      count++
    }
    if (count > 0) this.#tail.splice(0, count)
  }

  #notePreview({ sequence, body }: JobEvent): void {
    if (body.kind === 'preview') (this.#previews ??= new Map()).set(body.item, sequence)
  }

  #isLeftOut(event: JobEvent | undefined): boolean {
    if (event?.body.kind !== 'preview') return false
    const { item } = event.body
    return this.#previews?.get(item) !== event.sequence || this.#withdrawn?.has(item) === true
  }

  #maySee(event: JobEvent | null, isReserved: (sequence: number) => boolean): boolean {
    if (!event || event.sequence <= this.#committedThrough) return true
    // Who sees a preview asks for its picture, which nobody finds before its row is committed.
    return event.to === null && event.body.kind !== 'preview' && isReserved(event.sequence)
  }
}
