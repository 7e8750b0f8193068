/** The tasks that one worker has now: an entry about any other would give a task two ends. */
import type { TaskId, VersionId } from '../../scheduler/ids.ts'
import { ProtocolError } from './protocol-error.ts'
import type { AdmittedTask } from './requests.ts'
import type { StepEntry } from './step-entries.ts'

interface TaskHere {
  readonly versionId: VersionId
  readonly isHeld: boolean
  readonly stepMsMax: number | null
  /** Partial items that it may still emit. */
  creditLeft: number
  /** PAUSE was asked so often without `paused` in answer; one that RESUME overtook at the worker gets none. */
  pausesLeft: number
  /** What was asked last. */
  isToPause: boolean
  /** It takes part in no step, for certain: every PAUSE was answered, and RESUME not asked since. */
  isPaused: boolean
}

export class WorkerTasks {
  readonly #tasks = new Map<TaskId, TaskHere>()
  #endedCount = 0

  add({ taskId, versionId, credit, isHeld, stepMsMax = null }: AdmittedTask): void {
    const pause = { pausesLeft: 0, isToPause: false, isPaused: false }
    this.#tasks.set(taskId, { versionId, isHeld, stepMsMax, creditLeft: credit, ...pause })
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

  /** PAUSE is asked. Of no consequence when the task is not here. */
  pause(taskId: TaskId): void {
    const task = this.#tasks.get(taskId)
    if (!task) return
    task.pausesLeft += 1
    task.isToPause = true
  }

  /** RESUME is asked. Of no consequence when the task is not here. */
  resume(taskId: TaskId): void {
    const task = this.#tasks.get(taskId)
    if (!task) return
    task.isToPause = false
    task.isPaused = false
  }

  /** CHECKPOINTED came. Throws ProtocolError. */
  checkpointed(taskId: TaskId): void {
    this.#require(taskId, 'CHECKPOINTED')
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

  /** Some may take part in steps. */
  get someMayStep(): boolean {
    for (const { isPaused } of this.#tasks.values()) if (!isPaused) return true
    return false
  }

  /** How long a step of all that may take part in it may compute; null = nobody knows of one of them. */
  get stepMsMax(): number | null {
    let sum = 0
    for (const { isPaused, stepMsMax } of this.#tasks.values()) {
      if (isPaused) continue
      if (stepMsMax === null) return null
      sum += stepMsMax
    }
    return sum
  }

  /** Tasks that came to an end here; those given back did not. */
  get endedCount(): number {
    return this.#endedCount
  }

  /** Takes note of what an entry says. Throws ProtocolError when it cannot be said now. */
  settle(entry: StepEntry): void {
    const task = this.#require(entry.taskId, entry.kind)
    switch (entry.kind) {
      case 'started':
      case 'step':
      case 'text':
      case 'preview':
        requireGoingOn(task, entry)
        return
      case 'done':
        requireGoingOn(task, entry)
        requireMayHold(task, entry)
        this.#end(entry.taskId)
        return
      case 'failed':
      case 'cancelled':
        this.#end(entry.taskId)
        return
      case 'withdrawn':
        this.#tasks.delete(entry.taskId)
        return
      case 'paused':
        settlePause(task, entry.taskId)
        return
      default:
        entry satisfies never
    }
  }

  #end(taskId: TaskId): void {
    this.#endedCount += 1
    this.#tasks.delete(taskId)
  }

  /** Throws ProtocolError when the worker speaks of a task that it does not have. `what`: the word of the protocol. */
  #require(taskId: TaskId, what: string): TaskHere {
    const task = this.#tasks.get(taskId)
    if (task) return task
    throw new ProtocolError('order', `\`${what}\` came for task ${taskId}, which this worker does not have.`)
  }
}

/** Of a paused task nothing is said but its end by a cancellation or its deadline. */
function requireGoingOn({ isPaused }: TaskHere, { kind, taskId }: StepEntry): void {
  if (isPaused) throw new ProtocolError('order', `\`${kind}\` came for task ${taskId}, which is paused.`)
}

/** What is not to be held is never released. */
function requireMayHold({ isHeld }: TaskHere, { heldBytes, taskId }: Extract<StepEntry, { kind: 'done' }>): void {
  if (heldBytes > 0 && !isHeld)
    throw new ProtocolError(
      'order',
      `\`done\` came with ${heldBytes} held bytes for task ${taskId}, which was to hold nothing.`,
    )
}

function settlePause(task: TaskHere, taskId: TaskId): void {
  if (task.pausesLeft === 0)
    throw new ProtocolError('order', `\`paused\` came for task ${taskId}, which was not asked to pause.`)
  task.pausesLeft -= 1
  // Which of several PAUSEs it answers cannot be known, and RESUME may be on its way.
  task.isPaused = task.pausesLeft === 0 && task.isToPause
}
