/** The tasks that one worker has now: an entry about any other would give a task two ends. */
import type { TaskId, VersionId } from '../../scheduler/ids.ts'
import { ProtocolError } from './protocol-error.ts'
import type { StepEntry } from './step-entries.ts'

interface TaskHere {
  readonly versionId: VersionId
  /** Partial items that it may still emit. */
  creditLeft: number
}

export class WorkerTasks {
  readonly #tasks = new Map<TaskId, TaskHere>()
  #endedCount = 0

  add(taskId: TaskId, versionId: VersionId, credit: number): void {
    this.#tasks.set(taskId, { versionId, creditLeft: credit })
  }

  /** The model of a task that is here. */
  versionOf(taskId: TaskId): VersionId | undefined {
    return this.#tasks.get(taskId)?.versionId
  }

  /** False when the task is not here. */
  giveCredit(taskId: TaskId, items: number): boolean {
    const task = this.#tasks.get(taskId)
    if (task) task.creditLeft += items
    return task !== undefined
  }

  /** PARTIAL came with so many items. Throws ProtocolError when it has no credit for them: nobody could keep up with a worker that does not wait. */
  takeCredit(taskId: TaskId, items: number): void {
    const task = this.#require(taskId, 'PARTIAL')
    if (items > task.creditLeft)
      throw new ProtocolError(
        'order',
        `\`PARTIAL\` came with ${items} items of task ${taskId}, which has credit for ${task.creditLeft}.`,
      )
    task.creditLeft -= items
  }

  get count(): number {
    return this.#tasks.size
  }

  /** Tasks that came to an end here; those given back did not. */
  get endedCount(): number {
    return this.#endedCount
  }

  /** Takes note of what an entry says. Throws ProtocolError when it cannot be said now. */
  settle(entry: StepEntry): void {
    this.#require(entry.taskId, entry.kind)
    if (entry.kind === 'paused') throw new ProtocolError('order', '`paused` came, but nothing was asked to pause.')
    const hasEnded = entry.kind === 'done' || entry.kind === 'failed' || entry.kind === 'cancelled'
    if (hasEnded) this.#endedCount += 1
    if (hasEnded || entry.kind === 'withdrawn') this.#tasks.delete(entry.taskId)
  }

  /** Throws ProtocolError when the worker speaks of a task that it does not have. `what`: the word of the protocol. */
  #require(taskId: TaskId, what: string): TaskHere {
    const task = this.#tasks.get(taskId)
    if (task) return task
    throw new ProtocolError('order', `\`${what}\` came for task ${taskId}, which this worker does not have.`)
  }
}
