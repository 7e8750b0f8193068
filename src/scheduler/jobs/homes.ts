/**
 * All tasks of a job run on one residency, its home: what one of them hands to the next stays in that worker. The first task that is admitted decides.
 * A job leaves its home when that goes, as soon as the home has let go of all its tasks; and when it waits and nothing of it is there any more,
 * so that it goes on wherever there is room first.
 */

import { dequeueAll } from '../admission/lanes.ts'
import type { RequeueCause } from '../commands.ts'
import type { WorkerExitCause } from '../events.ts'
import { isLive, type Job, type LiveResidency, type Task } from '../state.ts'
import { decided, letterTo, type Turn } from '../turn.ts'
import { stepsSaved } from './checkpoints.ts'
import { setBackJob } from './jobs.ts'
import { dropOutput, holdsOutputs, undoLost } from './outputs.ts'

/** To be asked whenever something about the job has changed. */
export function leaveHomeIfDue(turn: Turn, job: Job): void {
  const { home } = job
  if (!home || job.tasksAtWorkers > 0) return
  if (!isLive(home)) leaveHome(turn, job, home.ending === 'load_failed' ? 'load_failed' : 'model_unloaded', null)
  else if (job.state !== 'running' && !holdsOutputs(job)) moveOut(turn, job)
}

/** What its home held for it is gone: what was shown as running waits for its model again. None of its tasks is there any more. */
export function leaveHome(turn: Turn, job: Job, cause: RequeueCause, exit: WorkerExitCause | null): void {
  moveOut(turn, job)
  const isAnyLost = undoLost(turn, job)
  if (job.state === 'running' && cause === 'model_unloaded') noteMove(turn, job)
  if (job.state === 'running' || (job.state === 'paused' && isAnyLost)) setBackJob(turn, job, cause, exit)
}

/** One that has to move again and again and gets nowhere is let be at its next home. */
function noteMove(turn: Turn, job: Job): void {
  const { jobId, version } = job
  decided(turn, { kind: 'REQUEUE', reason: 'model_unloaded', jobId, versionId: version.spec.versionId })
  const gained = job.tasks.length - job.tasksLeft + stepsSaved(job)
  job.isStuck = gained <= job.gained
  job.gained = Math.max(gained, job.gained)
}

/** None of its tasks is in a queue afterwards. */
function moveOut(turn: Turn, job: Job): void {
  dequeueAll(turn, job)
  for (const task of job.tasks) dropOutput(turn, task)
  job.home?.jobs.delete(job)
  job.home = null
}

/** The residency is to go: its paused tasks have to leave it, and what waits for it goes elsewhere. Answers who has to be moved on. */
export function uproot(turn: Turn, residency: LiveResidency): readonly Job[] {
  for (const task of residency.worker.tasks)
    if (task.residency === residency && task.state === 'paused') recall(turn, task)
  const jobs = [...residency.jobs]
  for (const job of jobs) dequeueAll(turn, job)
  return jobs
}

/** Its worker drops the task; the job goes on without it, from its newest checkpoint. */
export function recall(turn: Turn, task: Task): void {
  if (!task.residency) throw new Error(`Task ${task.taskId} is at no worker.`)
  letterTo(turn, task.residency.worker).cancellations.push(task.taskId)
  task.state = 'recalled'
}
