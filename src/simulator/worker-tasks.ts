/** The tasks that a modelled worker has, and what it does when it is told about them, whatever it computes and however it takes its time. */
import type { Admission } from '../scheduler/commands.ts'
import type { TaskReport } from '../scheduler/events.ts'
import type { TaskId } from '../scheduler/ids.ts'

export interface WorkerTask {
  readonly taskId: TaskId
  readonly admission: Admission
  isStarted: boolean
  isCancelled: boolean
  isPaused: boolean
  /** A PAUSE is to be answered when the running step is over. */
  owesPause: boolean
}

export class WorkerTasks<Task extends WorkerTask> {
  readonly #tasks = new Map<TaskId, Task>()

  add(task: Task): void {
    this.#tasks.set(task.taskId, task)
  }

  get(taskId: TaskId): Task | undefined {
    return this.#tasks.get(taskId)
  }

  has(taskId: TaskId): boolean {
    return this.#tasks.has(taskId)
  }

  delete(taskId: TaskId): void {
    this.#tasks.delete(taskId)
  }

  values(): Iterable<Task> {
    return this.#tasks.values()
  }

  *unpaused(): Generator<Task> {
    for (const task of this.#tasks.values()) if (!task.isPaused) yield task
  }

  /** What has not started is gone with the answer. */
  withdraw(taskIds: readonly TaskId[]): TaskReport[] {
    const given = taskIds.filter((taskId) => this.#tasks.get(taskId)?.isStarted === false)
    return this.#drop(given, 'withdrawn')
  }

  /** They are dropped by `dropCancelled`. False for one that is not here. */
  cancel(taskId: TaskId): boolean {
    const task = this.#tasks.get(taskId)
    if (task) task.isCancelled = true
    return task !== undefined
  }

  /** Those whose pause is to be answered now, one after the other; those in a step owe the answer. */
  *pause(taskIds: readonly TaskId[], isInStep: (task: Task) => boolean): Generator<Task> {
    for (const taskId of taskIds) {
      const task = this.#tasks.get(taskId)
      if (!task) continue
      task.isPaused = true
      if (isInStep(task)) task.owesPause = true
      else yield task
    }
  }

  resume(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) {
      const task = this.#tasks.get(taskId)
      if (task) task.isPaused = false
    }
  }

  dropCancelled(): TaskReport[] {
    const cancelled = [...this.#tasks.values()].filter(({ isCancelled }) => isCancelled)
    return this.#drop(
      cancelled.map(({ taskId }) => taskId),
      'cancelled',
    )
  }

  isBatchWaiting(): boolean {
    for (const { admission } of this.unpaused()) if (admission.class === 'batch') return true
    return false
  }

  #drop(taskIds: readonly TaskId[], kind: 'withdrawn' | 'cancelled'): TaskReport[] {
    for (const taskId of taskIds) this.#tasks.delete(taskId)
    return taskIds.map((taskId) => ({ kind, taskId }))
  }
}
