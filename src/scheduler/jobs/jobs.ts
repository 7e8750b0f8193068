/**
 * A job's life: QUEUED -> LOADING (its model loads for it) -> RUNNING (one of its tasks has started) -> POSTPROCESSING (only such tasks are left) ->
 * exactly one end. PAUSED lies between any two of them. Setbacks lead back to QUEUED, in its old place. What happens to tasks at workers is decided
 * elsewhere; here are the transitions and what users are told of them.
 */

import { dequeueAll, unbind } from '../admission/lanes.ts'
import { leave, takeFromLetter } from '../admission/membership.ts'
import type { Command, JobFailureCode, MemoryFacts, MemoryRemedy, RequeueCause } from '../commands.ts'
import { notePause } from '../demand/sessions.ts'
import type { PauseCause, WorkerExitCause } from '../events.ts'
import type { DecisionReason } from '../explain/decisions.ts'
import { settleShare } from '../fairness/turns.ts'
import type { DeviceId } from '../ids.ts'
import { learnOutcome } from '../placement/policies/outcomes.ts'
import { forgetPreempted } from '../preemption/preempted.ts'
import type { Device, Job, SchedulerState, Task, Worker } from '../state.ts'
import { decided, letterTo, type Turn } from '../turn.ts'
import { stepsSaved } from './checkpoints.ts'
import { dropOutput } from './outputs.ts'

/** A task of it is in a step at the worker. */
export function startJob(turn: Turn, job: Job, { workerId, slot }: Worker): void {
  if (job.state === 'running') return
  job.stage = 'inference'
  moveTo(turn.state, job, 'running')
  // While the server stops only what runs is admitted any more.
  if (turn.state.draining) turn.touched.add(job.version)
  const { jobId, attempt } = job
  turn.commands.push({ type: 'jobStarted', jobId, attempt, deviceId: slot.device.spec.deviceId, workerId })
  notePostprocessing(turn, job)
}

export function announceLoading(turn: Turn, job: Job, device: Device): void {
  if (job.attempt === 0) job.attempt = 1
  moveTo(turn.state, job, 'loading')
  turn.commands.push({ type: 'jobLoading', jobId: job.jobId, attempt: job.attempt, deviceId: device.spec.deviceId })
}

/** It runs, and only postprocessing is left of it. */
export function notePostprocessing(turn: Turn, job: Job): void {
  if (job.state !== 'running' || job.stage === 'postprocessing') return
  if (job.tasks.some(({ stage, state }) => stage === 'inference' && state !== 'done')) return
  job.stage = 'postprocessing'
  turn.commands.push({ type: 'jobPostprocessing', jobId: job.jobId })
}

/** Another attempt begins, unless somebody wants none. Whatever else goes wrong in the same turn belongs to the same setback. */
export function requeueJob(
  turn: Turn,
  job: Job,
  cause: RequeueCause,
  exit: WorkerExitCause | null,
  remedy?: MemoryRemedy,
): void {
  if (job.cancelRequested || turn.setBack.has(job)) return
  turn.setBack.add(job)
  moveTo(turn.state, job, 'queued')
  job.attempt += 1
  const { jobId, attempt, failedAttempts, deathsAlone } = job
  const fromStep = stepsSaved(job)
  const counts = { attempt, fromStep, failedAttempts, deathsAlone }
  turn.commands.push({ type: 'jobRequeued', jobId, cause, exit, ...counts, ...(remedy && { remedy }) })
}

/** Other tasks of it are still at work: the attempt has begun. */
export function showAtWork(turn: Turn, job: Job): void {
  const task = turn.state.jobs.has(job.jobId) ? job.tasks.find(({ state }) => state === 'started') : undefined
  if (task?.residency) startJob(turn, job, task.residency.worker)
}

/** Work that users had seen is lost, at once or, while the job is paused, when it goes on. */
export function setBackJob(turn: Turn, job: Job, cause: RequeueCause, exit: WorkerExitCause | null): void {
  if (job.state === 'paused') job.setback ??= cause
  else requeueJob(turn, job, cause, exit)
}

/** A job that is asked to pause has paused when none of its tasks may step any more. */
export function pauseIfStill(turn: Turn, job: Job): void {
  if (job.pauseCause === null || job.cancelRequested || job.state === 'paused' || job.tasksStepping > 0) return
  moveTo(turn.state, job, 'paused')
  turn.commands.push({ type: 'jobPaused', jobId: job.jobId, cause: job.pauseCause })
  const reason = pauseReasons[job.pauseCause]
  decided(turn, { kind: 'PAUSE', reason, jobId: job.jobId, versionId: job.version.spec.versionId })
}

const pauseReasons = {
  requested: 'asked_for',
  interactive_work: 'interactive_work',
  memory_pressure: 'memory_pressure',
} as const satisfies Readonly<Record<PauseCause, DecisionReason>>

/** `deviceId`: where tasks of it step again at once, in the stage that it was in; null = it waits again. */
export function announceResumed(turn: Turn, job: Job, deviceId: DeviceId | null, reason: DecisionReason): void {
  const { jobId, version, setback } = job
  moveTo(turn.state, job, deviceId === null ? 'queued' : 'running')
  turn.commands.push({ type: 'jobResumed', jobId, deviceId })
  decided(turn, { kind: 'RESUME', reason, jobId, versionId: version.spec.versionId })
  job.setback = null
  // How long it would have taken without the pause, nobody knows.
  job.forecast = null
  if (setback) requeueJob(turn, job, setback, null)
}

export function succeedJob(turn: Turn, job: Job): void {
  const last = job.tasks.findLast(({ followers }) => followers.length === 0)
  if (!last) throw new Error(`Job ${job.jobId} has no last task.`)
  if (job.forecast) learnOutcome(turn.state, job, turn.now)
  finishJob(turn, job, { type: 'jobSucceeded', jobId: job.jobId, taskId: last.taskId })
}

/** `memory`: what there was of it, where that was not enough. */
export function failJob(
  turn: Turn,
  job: Job,
  code: JobFailureCode,
  retryable: boolean,
  task: Task | null,
  memory?: MemoryFacts,
): void {
  const { jobId } = job
  const taskId = task?.taskId ?? null
  finishJob(turn, job, { type: 'jobFailed', jobId, code, retryable, taskId, ...(memory && { memory }) })
}

/** A cancelled job ends when no worker has anything of it any more. */
export function cancelIfGone(turn: Turn, job: Job): void {
  if (job.tasksAtWorkers === 0) finishJob(turn, job, { type: 'jobCancelled', jobId: job.jobId })
}

/** Tells a worker to drop a task, unless it has been told. */
export function dropAtWorker(turn: Turn, task: Task): void {
  if (task.residency && task.state !== 'recalled') letterTo(turn, task.residency.worker).cancellations.push(task.taskId)
}

function finishJob(turn: Turn, job: Job, end: Command): void {
  const { state } = turn
  leaveState(state, job)
  settleShare(turn, job, end.type === 'jobSucceeded')
  forgetPreempted(state, job)
  if (job.deadlineSlot >= 0) state.deadlines.removeAt(job.deadlineSlot)
  state.climbing.delete(job)
  job.version.loadingJobs.delete(job)
  dequeueAll(turn, job)
  for (const task of job.tasks) {
    dropOutput(turn, task)
    if (task.residency) abandon(turn, task)
  }
  job.home?.jobs.delete(job)
  job.home = null
  unbind(job)
  state.jobs.delete(job.jobId)
  notePause(state, job, turn.now)
  turn.commands.push(end)
}

/** It occupies its worker until that says otherwise, though nobody wants it any more. */
function abandon(turn: Turn, task: Task): void {
  // A worker that has not been told of it yet never will be; one of a cancelled job has been told to drop it.
  const isUntold = takeFromLetter(turn, task)
  if (!isUntold && !task.job.cancelRequested) dropAtWorker(turn, task)
  task.state = 'abandoned'
  if (isUntold) forgetAbandoned(turn, task)
}

/** An abandoned task has left its worker. */
export function forgetAbandoned(turn: Turn, task: Task): void {
  leave(turn, task)
}

function moveTo(state: SchedulerState, job: Job, to: Job['state']): void {
  leaveState(state, job)
  if (to === 'running') state.runningCount[job.class] += 1
  else if (to === 'paused') state.pausedCount[job.class] += 1
  else state.waiting[job.class].add(job)
  if (to !== 'loading') job.version.loadingJobs.delete(job)
  job.state = to
}

/** It is counted nowhere until it has another state. */
function leaveState(state: SchedulerState, job: Job): void {
  if (job.state === 'running') state.runningCount[job.class] -= 1
  else if (job.state === 'paused') state.pausedCount[job.class] -= 1
  else state.waiting[job.class].remove(job)
}
