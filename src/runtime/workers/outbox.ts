/**
 * Sends to one worker. At most `depth` frames are unacknowledged; until one is acknowledged, what is asked of tasks collects and leaves in few frames:
 * admissions as one ADMIT, and so on. All frames of one tick leave in one write.
 */
import type { TaskId } from '../../scheduler/ids.ts'
import { encodeFrame, metaBytesMax } from './frame.ts'
import { arrayHeader, encode } from './message-pack.ts'
import { ProtocolError } from './protocol-error.ts'
import { creditBytes, type TaskRequest, tasksMetaStart } from './requests.ts'
import { type OutgoingRequest, WaitingRequests } from './waiting-requests.ts'

export interface OutboxOptions {
  readonly now: () => number
  /** Frames that may be unacknowledged. */
  readonly depth: number
  /** A frame of joined requests ends at about so many bytes of metadata; the rest follows in the next. */
  readonly joinedBytesMax: number
  /** Writes these frames at once; false = the stream is full, `writable()` will be called. */
  readonly write: (frames: readonly Buffer[]) => boolean
}

const requestIdMax = 0xffff_ffff
const noPayload = Buffer.alloc(0)

export class Outbox {
  readonly #options: OutboxOptions
  readonly #waiting: WaitingRequests
  /** In the order sent; at most `depth`. */
  readonly #unacknowledged: { readonly requestId: number; readonly sentAt: number }[] = []
  #lastRequestId = 0
  #lastAcknowledged = 0
  #flush: NodeJS.Immediate | null = null
  #streamIsFull = false
  #state: 'held' | 'open' | 'closed' = 'held'

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#waiting = new WaitingRequests(options.joinedBytesMax)
  }

  /** Until then everything is held back: before its HELLO nothing is sent to a worker. */
  open(): void {
    this.#state = 'open'
    this.#schedule()
  }

  /** `task`: the encoded Task; with a saved state for `restore`. `inputs`: tasks whose held outputs it takes. */
  admit(type: 'admit' | 'restore', taskId: TaskId, task: Buffer, inputs: readonly TaskId[] = []): void {
    this.#join(type, [taskId, ...inputs], task)
  }

  credit(taskId: TaskId, items: number): void {
    this.#join('credit', [taskId], creditBytes(taskId, items))
  }

  /** What is asked by the number of the task alone. */
  ask(type: Exclude<TaskRequest, 'admit' | 'restore' | 'credit'>, taskId: TaskId): void {
    this.#join(type, [taskId], encode(taskId))
  }

  /** A request of its own; `onSent` tells its number when it leaves. */
  send(type: number, meta: Buffer, onSent: ((requestId: number) => void) | null = null): void {
    this.#waiting.add({ type, meta, onSent })
    this.#schedule()
  }

  /** Takes an acknowledgement; throws ProtocolError for a number that was never sent, or went back. */
  acknowledge(requestId: number): void {
    if (requestId === this.#lastAcknowledged) return
    const index = this.#unacknowledged.findIndex((frame) => frame.requestId === requestId)
    if (index < 0)
      throw new ProtocolError('order', `The worker acknowledged request ${requestId}; ${this.#expected()}.`)
    this.#unacknowledged.splice(0, index + 1)
    this.#lastAcknowledged = requestId
    this.#schedule()
  }

  /** The stream takes bytes again. */
  writable(): void {
    this.#streamIsFull = false
    this.#schedule()
  }

  /** How long the oldest unacknowledged frame has been waiting for its acknowledgement, milliseconds. */
  silenceMs(now: number): number {
    const oldest = this.#unacknowledged[0]
    return oldest === undefined ? 0 : now - oldest.sentAt
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#state = 'closed'
    this.#waiting.clear()
    if (this.#flush) clearImmediate(this.#flush)
    this.#flush = null
  }

  #join(type: TaskRequest, about: readonly TaskId[], part: Buffer): void {
    this.#waiting.join(type, about, part)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#flush || this.#state !== 'open' || this.#waiting.isEmpty) return
    // After everything that this turn of the event loop has to say, so that it leaves together.
    this.#flush = setImmediate(() => {
      this.#flush = null
      this.#send()
    })
  }

  #send(): void {
    const frames: Buffer[] = []
    while (!this.#streamIsFull && this.#unacknowledged.length < this.#options.depth) {
      const request = this.#waiting.take()
      if (request === null) break
      frames.push(this.#number(request))
    }
    if (frames.length > 0) this.#streamIsFull = !this.#options.write(frames)
  }

  #number({ type, meta, onSent }: OutgoingRequest): Buffer {
    const requestId = this.#lastRequestId === requestIdMax ? 1 : this.#lastRequestId + 1
    this.#lastRequestId = requestId
    this.#unacknowledged.push({ requestId, sentAt: this.#options.now() })
    onSent?.(requestId)
    return encodeFrame({ type, requestId, acknowledged: 0, meta, payload: noPayload })
  }

  #expected(): string {
    const oldest = this.#unacknowledged[0]?.requestId
    return oldest === undefined
      ? `${this.#lastAcknowledged} was the last, and nothing is unacknowledged`
      : `${oldest} to ${this.#lastRequestId} were unacknowledged`
  }
}

/** Bytes that a single task may take in an ADMIT or RESTORE. */
export const taskBytesMax = metaBytesMax - tasksMetaStart.length - arrayHeader(1).length
