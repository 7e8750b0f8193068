/**
 * Checkpoints on their way to the writer. They may be large, and none is urgent: a little of them at a time is put into the writer's queue, so
 * that no state change waits for many. What waits is the newest of each task, within a bound.
 */
import type { JobId, TaskId } from '../../scheduler/ids.ts'
import type { CheckpointRecord } from '../records.ts'

export interface CheckpointLimits {
  /** Beyond it, what has waited longest is given up: its task saves again soon, and until then has an older one. */
  readonly waitingBytesMax: number
  /** Written together; a larger one goes alone. */
  readonly lotBytesMax: number
}

const limitsDefault: CheckpointLimits = { waitingBytesMax: 64 * 1024 * 1024, lotBytesMax: 1024 * 1024 }

interface Waiting extends PromiseWithResolvers<void> {
  /** The newest so far. */
  checkpoint: CheckpointRecord
}

export class WaitingCheckpoints {
  readonly #write: (lot: readonly CheckpointRecord[]) => Promise<void>
  readonly #limits: CheckpointLimits
  /** By task; who waits longest is first. */
  readonly #waiting = new Map<TaskId, Waiting>()
  #bytes = 0
  /** What is being written, in this order. */
  readonly #lots = new Set<readonly Waiting[]>()
  #isTickDue = false

  constructor(write: (lot: readonly CheckpointRecord[]) => Promise<void>, limits = limitsDefault) {
    this.#write = write
    this.#limits = limits
  }

  /** Resolves when it, or a newer one of its task, is committed, or when none is wanted any more. */
  save(checkpoint: CheckpointRecord): Promise<void> {
    // The bytes may be a view of something much larger, and are kept for a while.
    const own = { ...checkpoint, saved: new Uint8Array(checkpoint.saved) }
    let waiting = this.#waiting.get(own.taskId)
    if (waiting) {
      this.#bytes -= waiting.checkpoint.saved.byteLength
      waiting.checkpoint = own
    } else {
      waiting = { checkpoint: own, ...Promise.withResolvers<void>() }
      this.#waiting.set(own.taskId, waiting)
    }
    this.#bytes += own.saved.byteLength
    this.#keepWithinBound(waiting)
    this.#writeSoon()
    return waiting.promise
  }

  /** What is not in the database yet. */
  newest(taskId: TaskId): CheckpointRecord | null {
    const waiting =
      this.#waiting.get(taskId) ?? [...this.#lots].flat().findLast(({ checkpoint }) => checkpoint.taskId === taskId)
    return waiting?.checkpoint ?? null
  }

  /** Nobody goes on from them: the job's final event is being written. */
  forget(jobId: JobId): void {
    for (const waiting of this.#waiting.values()) if (waiting.checkpoint.jobId === jobId) this.#giveUp(waiting)
  }

  /** What waits of the job, now: what is written next says that it is saved. */
  writeNow(jobId: JobId): void {
    const lot = [...this.#waiting.values()].filter(({ checkpoint }) => checkpoint.jobId === jobId)
    for (const waiting of lot) this.#take(waiting)
    if (lot.length > 0) void this.#writeLot(lot)
  }

  /** The last of all: everything that waits, at once. */
  writeAll(): void {
    if (this.#waiting.size > 0) void this.#writeLot(this.#takeLot(Number.POSITIVE_INFINITY))
  }

  #keepWithinBound(newest: Waiting): void {
    for (const oldest of this.#waiting.values()) {
      if (this.#bytes <= this.#limits.waitingBytesMax) return
      if (oldest !== newest) this.#giveUp(oldest)
    }
  }

  #giveUp(waiting: Waiting): void {
    this.#take(waiting)
    waiting.resolve()
  }

  #take(waiting: Waiting): void {
    this.#waiting.delete(waiting.checkpoint.taskId)
    this.#bytes -= waiting.checkpoint.saved.byteLength
  }

  /** With the others of this tick, when the lot before is committed. */
  #writeSoon(): void {
    if (this.#isTickDue || this.#lots.size > 0 || this.#waiting.size === 0) return
    this.#isTickDue = true
    setImmediate(() => {
      this.#isTickDue = false
      if (this.#lots.size > 0 || this.#waiting.size === 0) return
      void this.#writeLot(this.#takeLot(this.#limits.lotBytesMax))
    })
  }

  async #writeLot(lot: readonly Waiting[]): Promise<void> {
    this.#lots.add(lot)
    try {
      await this.#write(lot.map(({ checkpoint }) => checkpoint))
      for (const { resolve } of lot) resolve()
    } catch (error) {
      for (const { reject } of lot) reject(error)
    }
    this.#lots.delete(lot)
    this.#writeSoon()
  }

  /** At least one. */
  #takeLot(bytesMax: number): readonly Waiting[] {
    const lot: Waiting[] = []
    let bytes = 0
    for (const waiting of this.#waiting.values()) {
      bytes += waiting.checkpoint.saved.byteLength
      if (lot.length > 0 && bytes > bytesMax) break
      this.#take(waiting)
      lot.push(waiting)
    }
    return lot
  }
}
