/**
 * Pausing: tasks at workers keep their states there and take part in no step; what waits leaves its lane. A paused job is in nobody's way: when its model
 * is to go, or its worker is wanted for somebody alone, the worker drops the state and the task begins again from its checkpoint, wherever it is
 * admitted once the job goes on. Each worker answers each PAUSE once; a wish to go on that comes before waits for that answer.
 */
import { endAlone } from '../admission/alone.ts'
import { dequeueAll } from '../admission/lanes.ts'
import { park, unpark } from '../admission/membership.ts'
import { goOn } from '../admission/next-tasks.ts'
import type { PauseCause } from '../events.ts'
import type { DecisionReason } from '../explain/decisions.ts'
import type { DeviceId, JobId } from '../ids.ts'
import { deviceOf, isLive, type Job, type LiveResidency, type Task } from '../state.ts'
import { letterTo, type Turn } from '../turn.ts'
import { recall } from './homes.ts'
import { announceResumed, pauseIfStill, startJob } from './jobs.ts'

export function pauseJob(turn: Turn, jobId: JobId, cause: PauseCause): void {
  const job = turn.state.jobs.get(jobId)
  if (!job || job.cancelRequested) return
  if (job.pauseCause !== null) {
    // What a user wishes holds longer than what the scheduler thought best.
    if (cause === 'requested') job.pauseCause = cause
    return
  }
  job.pauseCause = cause
  dequeueAll(turn, job)
  for (const task of job.tasks) if (task.state === 'admitted' || task.state === 'started') askToPause(turn, task)
  goOn(turn, job)
}

export function resumeJob(turn: Turn, jobId: JobId, reason: DecisionReason = 'asked_for'): void {
  const job = turn.state.jobs.get(jobId)
  if (!job || job.cancelRequested || job.pauseCause === null) return
  job.pauseCause = null
  const resumedOn = resumeParked(turn, job)
  if (job.state === 'paused') announceResumed(turn, job, resumedOn, reason)
  goOn(turn, job)
}

/** It was the scheduler that had it pause, and nobody else has wished so since. */
export function resumePaused(turn: Turn, job: Job, cause: PauseCause): void {
  if (turn.state.jobs.get(job.jobId) === job && job.pauseCause === cause) resumeJob(turn, job.jobId, 'pause_over')
}

/** A worker leaves the task out of steps from now on. */
export function takePaused(turn: Turn, task: Task, stateBytes: number): void {
  const { job, residency } = task
  // One of a cancelled job is on its way out, and so is one that was recalled.
  if (task.state !== 'pausing' || !residency || job.cancelRequested) return
  if (job.pauseCause === null) return takeUp(turn, task, residency)
  park(turn, task, stateBytes)
  const isAlone = residency.worker.alone === task
  // It is to be alone again when it goes on.
  if (isAlone) endAlone(turn, residency.worker)
  if (isAlone || !isLive(residency)) recall(turn, task)
  pauseIfStill(turn, job)
}

/** What has not started is rather taken back: then nothing of it is left there. */
function askToPause(turn: Turn, task: Task): void {
  if (!task.residency) return
  const letter = letterTo(turn, task.residency.worker)
  if (task.state === 'admitted') letter.withdrawals.push(task.taskId)
  letter.pauses.push(task.taskId)
  task.state = 'pausing'
}

/** Where tasks of it step again that had begun; null = nowhere. */
function resumeParked(turn: Turn, job: Job): DeviceId | null {
  let resumedOn: DeviceId | null = null
  for (const task of job.tasks) {
    const { residency } = task
    if (task.state !== 'paused' || !residency) continue
    if (turn.state.draining || residency.worker.alone) {
      recall(turn, task)
    } else {
      unpark(turn, task)
      letterTo(turn, residency.worker).resumptions.push(task.taskId)
      if (task.startedAt !== null) resumedOn = deviceOf(residency).spec.deviceId
    }
  }
  return resumedOn
}

/** The wish to go on came before the answer to the pause. */
function takeUp(turn: Turn, task: Task, residency: LiveResidency): void {
  task.state = task.startedAt === null ? 'admitted' : 'started'
  letterTo(turn, residency.worker).resumptions.push(task.taskId)
  if (task.startedAt !== null) startJob(turn, task.job, residency.worker)
}
