/** The tasks that one worker has now: an entry about any other would give a task two ends. */
import type { TaskId, VersionId } from '../../scheduler/ids.ts'
import { ProtocolError } from './protocol-error.ts'
import type { StepEntry } from './step-entries.ts'

export class WorkerTasks {
  readonly #tasks = new Map<TaskId, VersionId>()
  #endedCount = 0

  add(taskId: TaskId, versionId: VersionId): void {
    this.#tasks.set(taskId, versionId)
  }

  /** The model of a task that is here. */
  versionOf(taskId: TaskId): VersionId | undefined {
    return this.#tasks.get(taskId)
  }

  has(taskId: TaskId): boolean {
    return this.#tasks.has(taskId)
  }

  get count(): number {
    return this.#tasks.size
  }

  /** Tasks that came to an end here; those given back did not. */
  get endedCount(): number {
    return this.#endedCount
  }

  /** Throws ProtocolError when the worker speaks of a task that it does not have. `what`: the word of the protocol. */
  require(taskId: TaskId, what: string): void {
    if (!this.#tasks.has(taskId)) {
      throw new ProtocolError('order', `\`${what}\` came for task ${taskId}, which this worker does not have.`)
    }
  }

  /** Takes note of what an entry says. Throws ProtocolError when it cannot be said now. */
  settle(entry: StepEntry): void {
    this.require(entry.taskId, entry.kind)
    if (entry.kind === 'paused') throw new ProtocolError('order', '`paused` came, but nothing was asked to pause.')
    const hasEnded = entry.kind === 'done' || entry.kind === 'failed' || entry.kind === 'cancelled'
    if (hasEnded) this.#endedCount += 1
    if (hasEnded || entry.kind === 'withdrawn') this.#tasks.delete(entry.taskId)
  }
}
