/**
 * The newest saved state of each task of the jobs that have not ended. The store has them all; those of late are kept here too, within a limit, so that
 * a task that goes on need not wait for a read.
 */
import { LRUCache } from 'lru-cache'
import type { JobId, TaskId } from '../scheduler/ids.ts'
import type { CheckpointRecord } from '../store/records.ts'
import { type Store, StoreClosed } from '../store/store.ts'

const keptBytesMax = 64 * 1024 * 1024

type Saving = Pick<Store, 'saveCheckpoint' | 'readCheckpoint'>

export class Checkpoints {
  /** Tasks whose workers were asked for one that has not come yet. */
  readonly awaited = new Set<TaskId>()
  readonly #store: Saving
  readonly #onLost: (error: unknown) => void
  readonly #saved: LRUCache<TaskId, Uint8Array>
  /** Steps behind the newest checkpoint of each task. */
  readonly #steps = new Map<JobId, Map<TaskId, number>>()

  /** `onLost`: a checkpoint that could not be written; its task goes on, at worst from an earlier one. */
  constructor(store: Saving, onLost: (error: unknown) => void, bytesMax = keptBytesMax) {
    this.#store = store
    this.#onLost = onLost
    this.#saved = new LRUCache({
      maxSize: bytesMax,
      maxEntrySize: bytesMax,
      sizeCalculation: (saved) => Math.max(1, saved.byteLength),
    })
  }

  /** Known at once; on disk with one of the next commits. */
  put(record: CheckpointRecord): void {
    const { taskId, jobId, step, saved } = record
    this.know(jobId, taskId, step)
    this.#saved.set(taskId, saved)
    this.awaited.delete(taskId)
    this.#store.saveCheckpoint(record).catch((error: unknown) => {
      // The end of the server overtook it; the next start goes on from an earlier one.
      if (!(error instanceof StoreClosed)) this.#onLost(error)
    })
  }

  /** One that the store has from before a restart. */
  know(jobId: JobId, taskId: TaskId, step: number): void {
    const steps = this.#steps.get(jobId) ?? new Map<TaskId, number>()
    this.#steps.set(jobId, steps.set(taskId, step))
  }

  /** Null when the task has none. A promise where it has to be read. */
  get(taskId: TaskId): Uint8Array | null | Promise<Uint8Array | null> {
    const saved = this.#saved.get(taskId)
    if (saved) return saved
    return this.#store.readCheckpoint(taskId).then((record) => record?.saved ?? null)
  }

  /** Steps that lie behind the task's newest checkpoint; 0 without one. */
  stepOf(jobId: JobId, taskId: TaskId): number {
    return this.#steps.get(jobId)?.get(taskId) ?? 0
  }

  /** The job has ended; the store forgets with its last commit. */
  forget(jobId: JobId): void {
    for (const taskId of this.#steps.get(jobId)?.keys() ?? []) this.#saved.delete(taskId)
    this.#steps.delete(jobId)
  }
}
