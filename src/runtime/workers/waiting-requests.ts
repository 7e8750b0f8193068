/**
 * What waits to be sent to one worker, in the order in which it was asked. What is asked of tasks joins what waits already, so that it leaves in few
 * frames, where no order is lost that matters:
 * - no request overtakes another about the same task; an admission is also about those whose held outputs the task takes;
 * - ADMIT and RESTORE do not overtake each other: tasks are admitted in the order of the scheduler;
 * - nothing overtakes a request of another kind (LOAD, POLICY, REVOKE, ...), which stands by itself.
 */
import type { TaskId } from '../../scheduler/ids.ts'
import { arrayHeader } from './message-pack.ts'
import { requestType, type TaskRequest, tasksMetaStart } from './requests.ts'

export interface OutgoingRequest {
  readonly type: number
  readonly meta: Buffer
  /** Told its number when it leaves. */
  readonly onSent: ((requestId: number) => void) | null
}

interface Single extends OutgoingRequest {
  readonly kind: 'single'
}
/** Requests of one type about any number of tasks. */
interface Joined {
  readonly kind: 'joined'
  readonly type: TaskRequest
  /** Encoded, one for each; never empty. */
  readonly parts: Buffer[]
  /** That they are about. */
  readonly tasks: Set<TaskId>
  /** A frame of it has left: nothing joins it any more, or what waits behind it might do so for ever. */
  isLeaving: boolean
}

/** So many waiting frames are looked at for one that may be joined. */
const overtakenMax = 16

export class WaitingRequests {
  readonly #joinedBytesMax: number
  readonly #waiting: (Single | Joined)[] = []

  /** @param joinedBytesMax A frame of joined requests ends at about so many bytes of metadata; the rest follows in the next. */
  constructor(joinedBytesMax: number) {
    this.#joinedBytesMax = joinedBytesMax
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  add(request: OutgoingRequest): void {
    this.#waiting.push({ kind: 'single', ...request })
  }

  /** `about`: the task, and others for which the order matters. `part`: what stands for it in the list of the frame. */
  join(type: TaskRequest, about: readonly TaskId[], part: Buffer): void {
    const waiting = this.#joinable(type, about)
    if (waiting) {
      waiting.parts.push(part)
      for (const taskId of about) waiting.tasks.add(taskId)
    } else {
      this.#waiting.push({ kind: 'joined', type, parts: [part], tasks: new Set(about), isLeaving: false })
    }
  }

  /** What is to leave next; null = nothing waits. */
  take(): OutgoingRequest | null {
    const [first] = this.#waiting
    if (first === undefined) return null
    if (first.kind === 'single') {
      this.#waiting.shift()
      return first
    }
    first.isLeaving = true
    const meta = this.#joinedMeta(first.parts)
    if (first.parts.length === 0) this.#waiting.shift()
    return { type: requestType[first.type], meta, onSent: null }
  }

  clear(): void {
    this.#waiting.length = 0
  }

  #joinable(type: TaskRequest, about: readonly TaskId[]): Joined | null {
    for (let back = 1; back <= overtakenMax; back += 1) {
      const waiting = this.#waiting.at(-back)
      if (waiting === undefined || waiting.kind === 'single' || waiting.isLeaving) return null
      if (waiting.type === type) return waiting
      if (isAdmission(type) && isAdmission(waiting.type)) return null
      if (about.some((taskId) => waiting.tasks.has(taskId))) return null
    }
    return null
  }

  /** Takes from the front of `parts` what fits into one frame: at least one. */
  #joinedMeta(parts: Buffer[]): Buffer {
    let bytes = 0
    let count = 0
    for (const part of parts) {
      if (count > 0 && bytes + part.length > this.#joinedBytesMax) break
      bytes += part.length
      count += 1
    }
    return Buffer.concat([tasksMetaStart, arrayHeader(count), ...parts.splice(0, count)])
  }
}

function isAdmission(type: TaskRequest): boolean {
  return type === 'admit' || type === 'restore'
}
