/**
 * Outputs that stay in a worker, for the tasks that come after. They are the job's until nobody will take them any more, its end included. One that
 * is gone before, with its worker or its model, is made again: its producer runs once more, and so does whatever that one took, if it is gone too.
 */

import { dequeue, isQueued } from '../admission/lanes.ts'
import { charge, release } from '../memory/ledger.ts'
import type { Job, Task } from '../state.ts'
import { letterTo, type Turn } from '../turn.ts'
import { fallBack } from './checkpoints.ts'

/** Its home holds the output of the task, which has ended there. */
export function holdOutput(turn: Turn, task: Task, heldBytes: number): void {
  const { job } = task
  if (!job.home) throw new Error(`Task ${task.taskId} has ended, and its job has no home.`)
  task.heldOutput = charge(turn, 'activations', heldBytes, job.home, job)
}

/** The task has ended: what it took may go, and what it made if nobody comes after it. */
export function releaseTaken(turn: Turn, task: Task): void {
  for (const each of [...task.after, task]) if (!isStillWanted(each)) dropOutput(turn, each)
}

function isStillWanted({ followers }: Task): boolean {
  return followers.some(({ state }) => state !== 'done')
}

/** The worker drops it too; one that is gone in this turn hears nothing more. */
export function dropOutput(turn: Turn, task: Task): void {
  const { heldOutput, taskId } = task
  if (!heldOutput) return
  const worker = turn.state.workers.get(heldOutput.workerId)
  if (worker) letterTo(turn, worker).releases.push(taskId)
  release(turn, heldOutput)
  task.heldOutput = null
}

export function holdsOutputs(job: Job): boolean {
  return job.tasks.some(({ heldOutput }) => heldOutput !== null)
}

/** Producers whose output is gone and still wanted have not ended after all. True if there were any. */
export function undoLost(turn: Turn, job: Job): boolean {
  let isAnyLost = false
  for (let isSettled = false; !isSettled; ) {
    isSettled = true
    for (const task of job.tasks) {
      if (task.state !== 'done' || !task.isHeld || task.heldOutput || !isAwaited(task)) continue
      task.state = 'blocked'
      fallBack(task)
      job.tasksLeft += 1
      for (const follower of task.followers) if (isQueued(follower)) dequeue(turn, follower)
      isAnyLost = true
      isSettled = false
    }
  }
  return isAnyLost
}

/** Somebody who comes after it has yet to take its output; who is at a worker has taken it. */
function isAwaited({ followers }: Task): boolean {
  return followers.some((follower) => follower.state !== 'done' && follower.residency === null)
}
