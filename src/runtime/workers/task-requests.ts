/** What one worker is asked to do with tasks, and what it may say of them in turn. */
import type { TaskId, VersionId } from '../../scheduler/ids.ts'
import { type Outbox, taskBytesMax } from './outbox.ts'
import { type AdmittedTask, taskBytes } from './requests.ts'
import type { StepEntry } from './step-entries.ts'
import type { ReportEntry } from './worker-listener.ts'
import { WorkerTasks } from './worker-tasks.ts'

export class TaskRequests {
  readonly #outbox: Outbox
  readonly #tasks = new WorkerTasks()
  /** Told of tasks that cannot be sent; never from within a call. */
  readonly #onRefused: (entries: readonly ReportEntry[]) => void

  constructor(outbox: Outbox, onRefused: (entries: readonly ReportEntry[]) => void) {
    this.#outbox = outbox
    this.#onRefused = onRefused
  }

  /** Those with a saved state go on from it, the others begin; in the order given. A task that cannot be sent is reported as failed. */
  admit(tasks: readonly AdmittedTask[]): void {
    const refused: ReportEntry[] = []
    for (const task of tasks) {
      const { taskId, inputs, saved } = task
      const bytes = tryTaskBytes(task)
      if (typeof bytes === 'string') {
        refused.push({ kind: 'failed', taskId, code: 'invalid_request', message: bytes, retryable: false })
      } else {
        this.#tasks.add(task)
        this.#outbox.admit(saved === null ? 'admit' : 'restore', taskId, bytes, Object.values(inputs))
      }
    }
    if (refused.length > 0) setImmediate(() => this.#onRefused(refused))
  }

  withdraw(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) this.#outbox.ask('withdraw', taskId)
  }

  cancel(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) this.#outbox.ask('cancel', taskId)
  }

  pause(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) {
      this.#tasks.pause(taskId)
      this.#outbox.ask('pause', taskId)
    }
  }

  resume(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) {
      this.#tasks.resume(taskId)
      this.#outbox.ask('resume', taskId)
    }
  }

  /** `taskCheckpointed` follows for those that can be saved. */
  checkpoint(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) this.#outbox.ask('checkpoint', taskId)
  }

  /** Drops what these tasks, which are done, hold for others. */
  release(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) this.#outbox.ask('release', taskId)
  }

  /** Of no consequence when the task has ended. */
  credit(taskId: TaskId, items: number): void {
    if (this.#tasks.giveCredit(taskId, items)) this.#outbox.credit(taskId, items)
  }

  get count(): number {
    return this.#tasks.count
  }

  /** Tasks that came to an end here. */
  get endedCount(): number {
    return this.#tasks.endedCount
  }

  /** Not all are paused. */
  /** How long a step of all that may take part in it may compute; null = nobody knows. */
  get stepMsMax(): number | null {
    return this.#tasks.stepMsMax
  }

  get someMayStep(): boolean {
    return this.#tasks.someMayStep
  }

  /** Takes note of what the worker says; the models whose outputs are in it. Throws ProtocolError when it cannot be said now. */
  settle(entries: readonly StepEntry[]): Set<VersionId> {
    const versions = new Set<VersionId>()
    for (const entry of entries) {
      const version = this.#tasks.versionOf(entry.taskId)
      if (version !== undefined && entry.kind === 'done') versions.add(version)
      this.#tasks.settle(entry)
    }
    return versions
  }

  /** PARTIAL came with so many items. Throws ProtocolError. */
  takeCredit(taskId: TaskId, items: number): void {
    this.#tasks.takeCredit(taskId, items)
  }

  /** CHECKPOINTED came. Throws ProtocolError. */
  checkpointed(taskId: TaskId): void {
    this.#tasks.checkpointed(taskId)
  }
}

/** Why it cannot be sent, as a sentence, where it cannot. */
function tryTaskBytes(task: AdmittedTask): Buffer | string {
  try {
    const bytes = taskBytes(task)
    if (bytes.length <= taskBytesMax) return bytes
    return `The request takes ${bytes.length} bytes on its way to a worker; at most ${taskBytesMax} are possible.`
  } catch (error) {
    return `The request cannot be sent to a worker: ${error instanceof Error ? error.message : String(error)}.`
  }
}
