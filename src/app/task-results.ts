/** What workers gave for tasks, between their report and the job's end, and the outputs of recent jobs for who asks right afterwards. */
import { LRUCache } from 'lru-cache'
import type { JobId, TaskId } from '../scheduler/ids.ts'

const recentBytesMax = 32 * 1024 * 1024

export type ProgramOutput = Readonly<Record<string, unknown>>

export class TaskResults {
  readonly #outputs = new Map<TaskId, ProgramOutput>()
  readonly #messages = new Map<TaskId, string>()
  readonly #encoded = new LRUCache<JobId, Uint8Array>({
    maxSize: recentBytesMax,
    sizeCalculation: (bytes) => bytes.byteLength + 64,
  })

  putOutput(id: TaskId, output: ProgramOutput): void {
    this.#outputs.set(id, output)
  }

  /** The worker's words about a failure. */
  putMessage(id: TaskId, message: string): void {
    this.#messages.set(id, message)
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
    this.#outputs.delete(id)
    this.#messages.delete(id)
  }

  keepEncoded(id: JobId, output: Uint8Array): void {
    this.#encoded.set(id, output)
  }

  encoded(id: JobId): Uint8Array | null {
    return this.#encoded.get(id) ?? null
  }
}
