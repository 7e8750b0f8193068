/** Saved states of tasks. Only how far each of them reaches is known here; the bytes are the shell's, and go with the job. */
import type { TaskId, WorkerId } from '../ids.ts'
import type { Job, SchedulerState, Task } from '../state.ts'

/** What a worker writes down of a task that it does not hold (any more) belongs to a former attempt. */
export function takeCheckpoint(state: SchedulerState, workerId: WorkerId, taskId: TaskId, step: number): void {
  const task = state.tasks.get(taskId)
  if (task?.residency?.worker.workerId === workerId && task.state !== 'abandoned') task.checkpointStep = step
}

/** Steps that need not be done again. */
export function stepsSaved(job: Job): number {
  let steps = 0
  for (const { checkpointStep } of job.tasks) steps += checkpointStep ?? 0
  return steps
}

/** The worker has dropped the task's state: from here it goes on. True if steps are lost that it had done. */
export function fallBack(task: Task): boolean {
  const saved = task.checkpointStep ?? 0
  const isAnyLost = task.stepsDone > saved
  task.stepsDone = saved
  return isAnyLost
}
