/**
 * What waits to be sent to one worker. At most `depth` frames are unacknowledged; until one is acknowledged, what is asked of tasks collects
 * and leaves as few frames: admissions as one ADMIT, and so on. All frames of one tick leave in one write.
 *
 * Requests about tasks are kept in groups, whose lanes leave in the order admit, credit, withdraw, cancel. A request joins the last group only
 * if that keeps its place behind earlier requests about the same task; other requests (LOAD, POLICY, ...) stand between groups.
 */
import type { TaskId } from '../../scheduler/ids.ts'
import { encodeFrame, metaBytesMax } from './frame.ts'
import { arrayHeader, encode } from './message-pack.ts'
import { ProtocolError } from './protocol-error.ts'
import { creditBytes, requestType, tasksMetaStart } from './requests.ts'

export interface OutboxOptions {
  readonly now: () => number
  /** Frames that may be unacknowledged. */
  readonly depth: number
  /** A frame of joined requests ends at about so many bytes of metadata; the rest follows in the next. */
  readonly joinedBytesMax: number
  /** Writes these frames at once; false = the stream is full, `writable()` will be called. */
  readonly write: (frames: readonly Buffer[]) => boolean
}

interface Single {
  readonly kind: 'single'
  readonly type: number
  readonly meta: Buffer
  readonly onSent: ((requestId: number) => void) | null
}
interface Group {
  readonly kind: 'group'
  /** Encoded parts by lane. */
  readonly lanes: readonly [Buffer[], Buffer[], Buffer[], Buffer[]]
  /** Highest lane in which a task already stands, if it is beyond the first. */
  readonly highestLane: Map<TaskId, number>
  /** Frames of it have left: it is joined no more, or its later lanes might wait for ever behind new admissions. */
  isLeaving: boolean
}

const laneTypes = [requestType.admit, requestType.credit, requestType.withdraw, requestType.cancel] as const
type Lane = 0 | 1 | 2 | 3
const requestIdMax = 0xffff_ffff
const noPayload = Buffer.alloc(0)

export class Outbox {
  readonly #options: OutboxOptions
  readonly #waiting: (Single | Group)[] = []
  /** In the order sent; at most `depth`. */
  readonly #unacknowledged: { readonly requestId: number; readonly sentAt: number }[] = []
  #lastRequestId = 0
  #lastAcknowledged = 0
  #flush: NodeJS.Immediate | null = null
  #streamIsFull = false
  #state: 'held' | 'open' | 'closed' = 'held'

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Until then everything is held back: before its HELLO nothing is sent to a worker. */
  open(): void {
    this.#state = 'open'
    this.#schedule()
  }

  /** `task`: the encoded Task. */
  admit(taskId: TaskId, task: Buffer): void {
    this.#join(0, taskId, task)
  }

  credit(taskId: TaskId, items: number): void {
    this.#join(1, taskId, creditBytes(taskId, items))
  }

  withdraw(taskId: TaskId): void {
    this.#join(2, taskId, encode(taskId))
  }

  cancel(taskId: TaskId): void {
    this.#join(3, taskId, encode(taskId))
  }

  /** A request of its own; `onSent` tells its number when it leaves. */
  send(type: number, meta: Buffer, onSent: ((requestId: number) => void) | null = null): void {
    this.#waiting.push({ kind: 'single', type, meta, onSent })
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
    this.#waiting.length = 0
    if (this.#flush) clearImmediate(this.#flush)
    this.#flush = null
  }

  #join(lane: Lane, taskId: TaskId, part: Buffer): void {
    const group = this.#groupFor(lane, taskId)
    group.lanes[lane].push(part)
    if (lane > 0) group.highestLane.set(taskId, lane)
    this.#schedule()
  }

  #groupFor(lane: Lane, taskId: TaskId): Group {
    const last = this.#waiting.at(-1)
    if (last?.kind === 'group' && !last.isLeaving && (last.highestLane.get(taskId) ?? 0) <= lane) return last
    const group: Group = { kind: 'group', lanes: [[], [], [], []], highestLane: new Map(), isLeaving: false }
    this.#waiting.push(group)
    return group
  }

  #schedule(): void {
    if (this.#flush || this.#state !== 'open' || this.#waiting.length === 0) return
    // After everything that this turn of the event loop has to say, so that it leaves together.
    this.#flush = setImmediate(() => {
      this.#flush = null
      this.#send()
    })
  }

  #send(): void {
    const frames: Buffer[] = []
    while (!this.#streamIsFull && this.#unacknowledged.length < this.#options.depth) {
      const frame = this.#nextFrame()
      if (frame === null) break
      frames.push(frame)
    }
    if (frames.length > 0) this.#streamIsFull = !this.#options.write(frames)
  }

  #nextFrame(): Buffer | null {
    for (;;) {
      const first = this.#waiting[0]
      if (first === undefined) return null
      if (first.kind === 'single') {
        this.#waiting.shift()
        return this.#number(first.type, first.meta, first.onSent)
      }
      const lane = first.lanes.findIndex((parts) => parts.length > 0)
      const parts = first.lanes[lane]
      const type = laneTypes[lane]
      first.isLeaving = true
      if (parts !== undefined && type !== undefined) return this.#number(type, this.#joinedMeta(parts), null)
      this.#waiting.shift()
    }
  }

  /** Takes from the front of `parts` what fits into one frame: at least one. */
  #joinedMeta(parts: Buffer[]): Buffer {
    let bytes = 0
    let count = 0
    for (const part of parts) {
      if (count > 0 && bytes + part.length > this.#options.joinedBytesMax) break
      bytes += part.length
      count += 1
    }
    return Buffer.concat([tasksMetaStart, arrayHeader(count), ...parts.splice(0, count)])
  }

  #number(type: number, meta: Buffer, onSent: ((requestId: number) => void) | null): Buffer {
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

/** Bytes that a single task may take in an ADMIT. */
export const taskBytesMax = metaBytesMax - tasksMetaStart.length - arrayHeader(1).length
