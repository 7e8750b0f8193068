/** What workers gave for tasks, between their report and the job's end, and the outputs of recent jobs for who asks right afterwards. */
import { LRUCache } from 'lru-cache'
import { type ProgramOutput, releaseRegions } from '../runtime/workers/tensors.ts'
import type { JobId, TaskId, VersionId } from '../scheduler/ids.ts'

const recentBytesMax = 32 * 1024 * 1024

export class TaskResults {
  readonly #outputs = new Map<TaskId, ProgramOutput>()
  readonly #messages = new Map<TaskId, string>()
  readonly #loadFailures = new Map<VersionId, string>()
  readonly #encoded = new LRUCache<JobId, Uint8Array>({
    maxSize: recentBytesMax,
    sizeCalculation: (bytes) => bytes.byteLength + 64,
  })

  /** Whoever takes it releases the memory that it lies in; so does `forget`. */
  putOutput(id: TaskId, output: ProgramOutput): void {
    releaseRegions(this.#outputs.get(id))
    this.#outputs.set(id, output)
  }

  /** The worker's words about a failure. */
  putMessage(id: TaskId, message: string): void {
    this.#messages.set(id, message)
  }

  /** Why a version could not be loaded the last time; null = it could. */
  putLoadFailure(id: VersionId, message: string | null): void {
    if (message === null) this.#loadFailures.delete(id)
    else this.#loadFailures.set(id, message)
  }

  loadFailure(id: VersionId): string | null {
    return this.#loadFailures.get(id) ?? null
  }

  hasOutput(id: TaskId): boolean {
    return this.#outputs.has(id)
  }

  takeOutput(id: TaskId): ProgramOutput | null {
    const output = this.#outputs.get(id) ?? null
    this.#outputs.delete(id)
    return output
  }

  takeMessage(id: TaskId | null): string | null {
    if (id === null) return null
    const message = this.#messages.get(id) ?? null
    this.#messages.delete(id)
    return message
  }

  forget(id: TaskId): void {
    releaseRegions(this.takeOutput(id))
    this.#messages.delete(id)
  }

  keepEncoded(id: JobId, output: Uint8Array): void {
    this.#encoded.set(id, output)
  }

  encoded(id: JobId): Uint8Array | null {
    return this.#encoded.get(id) ?? null
  }
}
