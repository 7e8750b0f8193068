/** What a job does next, once something of it has ended, come back or been taken away. */
import type { DecisionReason } from '../explain/decisions.ts'
import { leaveHomeIfDue } from '../jobs/homes.ts'
import { cancelIfGone, notePostprocessing, pauseIfStill, succeedJob } from '../jobs/jobs.ts'
import { holdOutput, releaseTaken, undoLost } from '../jobs/outputs.ts'
import { bind } from '../placement/binding.ts'
import { isLive, type Job, type Task } from '../state.ts'
import { decided, type Turn } from '../turn.ts'
import { enqueueReady, isQueued, unbind } from './lanes.ts'

/** Its tasks whose predecessors have ended wait for a worker; or it comes to rest, if somebody wishes it to. */
export function goOn(turn: Turn, job: Job): void {
  if (job.cancelRequested) return cancelIfGone(turn, job)
  leaveHomeIfDue(turn, job)
  undoLost(turn, job)
  if (job.pauseCause !== null) return pauseIfStill(turn, job)
  if (job.boundTo?.isLost && !job.home && !job.tasks.some(isQueued)) {
    unbind(job)
    bind(turn, job)
  }
  // What a home that is to go still has of it comes back first.
  if (job.home === null || isLive(job.home)) enqueueReady(turn, job)
}

/** The task has left its worker with a result. `heldBytes`: of an output that stays there; null = it was told to drop it. */
export function completeTask(turn: Turn, task: Task, heldBytes: number | null): void {
  const { job } = task
  task.state = 'done'
  task.isSuspect = false
  job.tasksLeft -= 1
  if (task.isHeld && heldBytes !== null) holdOutput(turn, task, heldBytes)
  if (job.tasksLeft === 0) return succeedJob(turn, job)
  releaseTaken(turn, task)
  notePostprocessing(turn, job)
  goOn(turn, job)
}

/** The task has left its worker without a result and goes back to its place. */
export function returnTask(turn: Turn, task: Task, reason: DecisionReason): void {
  const { job, version } = task
  decided(turn, { kind: 'REQUEUE', reason, jobId: job.jobId, versionId: version.spec.versionId })
  goOn(turn, job)
}
