/** A task while a modelled worker has it, and what one more step of it comes to. */
import type { Admission } from '../scheduler/commands.ts'
import type { TaskReport } from '../scheduler/events.ts'
import type { Millis, VersionId } from '../scheduler/ids.ts'
import type { WorkerTask } from './worker-tasks.ts'

/** What a task is like, which no one knows before it runs. */
export interface TaskNature {
  readonly versionId: VersionId
  /** States of equal keys may share a step. */
  readonly batchKey: string
  readonly components: readonly number[]
  readonly steps: number
  readonly canBeSaved: boolean
  readonly stateBytes: number
  readonly heldBytes: number
  /** Its output vanishes from the worker before anybody takes it, so many times. */
  lossesLeft: number
  /** Kills its worker in this step; null = never. */
  readonly poisonStep: number | null
  /** Fails so many times before it succeeds. */
  failuresLeft: number
  readonly failure: 'engine_error' | 'out_of_memory' | 'invalid_request'
}

export interface ModelledTask extends WorkerTask {
  readonly readySince: Millis
  readonly nature: TaskNature
  stepsDone: number
  interruptions: number
}

export function createTask(admission: Admission, nature: TaskNature, readySince: Millis, from: number): ModelledTask {
  return {
    taskId: admission.taskId,
    admission,
    readySince,
    nature,
    stepsDone: from,
    isStarted: false,
    isCancelled: false,
    isPaused: false,
    owesPause: false,
    interruptions: 0,
  }
}

/** After one more step: anything but `step` is its end. */
export function outcomeOf(task: ModelledTask, now: Millis): TaskReport {
  const { taskId, nature, admission } = task
  task.stepsDone += 1
  task.interruptions = 0
  const isLast = task.stepsDone >= nature.steps
  // A step that was running when the wish came may have been the last.
  if (task.isCancelled && !isLast) return { kind: 'cancelled', taskId }
  if (admission.deadlineAt !== null && now > admission.deadlineAt)
    return { kind: 'failed', taskId, code: 'deadline_exceeded', retryable: false }
  if (nature.failuresLeft > 0 && task.stepsDone >= nature.steps / 2) {
    nature.failuresLeft -= 1
    return { kind: 'failed', taskId, code: nature.failure, retryable: nature.failure !== 'invalid_request' }
  }
  const heldBytes = admission.isHeld ? nature.heldBytes : 0
  if (isLast) return { kind: 'done', taskId, stepsRun: task.stepsDone, heldBytes }
  return { kind: 'step', taskId, done: task.stepsDone, total: nature.steps }
}
