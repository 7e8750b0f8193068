/** What a worker reports of its tasks. Reports of a worker that does not hold the task (any more) are about another attempt and are ignored. */

import { leave, markStarted } from '../admission/membership.ts'
import { completeTask, goOn, returnTask } from '../admission/next-tasks.ts'
import type { TaskFailureCode, TaskReport } from '../events.ts'
import { noteSuccess } from '../failover/circuit.ts'
import { distrust } from '../failover/file-changes.ts'
import { noteReport } from '../failover/patience.ts'
import type { WorkerId } from '../ids.ts'
import { fallBack } from '../jobs/checkpoints.ts'
import { forgetAbandoned, setBackJob, showAtWork, startJob } from '../jobs/jobs.ts'
import { takePaused } from '../jobs/pausing.ts'
import { takeFailure } from '../jobs/task-failures.ts'
import { learnExecution, learnService } from '../learning/learning.ts'
import { watchMoves } from '../placement/migration.ts'
import { deviceOf, type LiveResidency, type SchedulerState, type Task } from '../state.ts'
import type { Turn } from '../turn.ts'
import { noteServed } from './recycling.ts'

export function takeReports(turn: Turn, workerId: WorkerId, reports: readonly TaskReport[]): void {
  const ended = new Map<LiveResidency, number>()
  const stale = new Set<LiveResidency>()
  for (const report of reports) {
    const task = heldTask(turn.state, workerId, report)
    const residency = task?.residency
    if (!task || !residency) continue
    if (report.kind === 'failed' && report.code === 'stale_model') stale.add(residency)
    if (report.kind === 'done') ended.set(residency, (ended.get(residency) ?? 0) + 1)
    if (report.kind === 'done' || report.kind === 'step') residency.worker.slot.deaths = 0
    if (report.kind === 'done' || report.kind === 'failed' || report.kind === 'cancelled')
      noteServed(turn.state, residency.worker)
    if (report.kind === 'done') noteSuccess(turn, residency.worker)
    if (task.state === 'abandoned') takeAbandoned(turn, task, report)
    else take(turn, task, report)
  }
  for (const job of turn.setBack) showAtWork(turn, job)
  for (const residency of stale) distrust(turn, residency)
  for (const [residency, count] of ended) learnService(turn.state, residency, count, turn.now)
}

function heldTask(state: SchedulerState, workerId: WorkerId, report: TaskReport): Task | null {
  const task = state.tasks.get(report.taskId)
  return task?.residency?.worker.workerId === workerId ? task : null
}

/** Its job has ended; only its place in the worker is still of interest. */
function takeAbandoned(turn: Turn, task: Task, report: TaskReport): void {
  if (report.kind !== 'started' && report.kind !== 'step') forgetAbandoned(turn, task)
}

function take(turn: Turn, task: Task, report: TaskReport): void {
  switch (report.kind) {
    case 'started':
      return begin(turn, task)
    case 'step':
      if (task.state !== 'recalled') task.stepsDone = report.done
      begin(turn, task)
      return noteReport(task, turn.now)
    case 'done': {
      begin(turn, task)
      if (isRecalled(task)) showEnd(turn, task)
      const isDropped = task.state === 'recalled' || task.job.cancelRequested
      noteReport(task, turn.now)
      learnExecution(turn.state, task, turn.now)
      if (task.residency) watchMoves(turn.state, task.version, deviceOf(task.residency), turn.now)
      task.version.staleInARow = 0
      leave(turn, task)
      return completeTask(turn, task, isDropped ? null : report.heldBytes)
    }
    case 'paused':
      return takePaused(turn, task, report.stateBytes)
    case 'withdrawn':
      leave(turn, task)
      return returnTask(turn, task, 'withdrawn')
    case 'failed':
      return isRecalled(task) ? takeRecalled(turn, task) : takeEnd(turn, task, report.code, report.retryable)
    case 'cancelled':
      // A worker that drops what nobody told it to drop has failed to run it.
      return isRecalled(task) ? takeRecalled(turn, task) : takeEnd(turn, task, 'engine_error', true)
    default:
      return report satisfies never
  }
}

/** A task is in a step. `started` may be missing where a step was so short that only its outcome was reported. */
function begin(turn: Turn, task: Task): void {
  if (!task.residency || (task.state !== 'admitted' && task.state !== 'pausing')) return
  markStarted(turn, task)
  // One that is set back in this turn is shown at work when it is known what is left of it.
  if (!turn.setBack.has(task.job)) startJob(turn, task.job, task.residency.worker)
}

/** Its job was shown as waiting again, and yet the task has come to its end. */
function showEnd(turn: Turn, { job, residency }: Task): void {
  if (residency && job.state !== 'paused') startJob(turn, job, residency.worker)
}

function takeEnd(turn: Turn, task: Task, code: TaskFailureCode, retryable: boolean): void {
  const { residency, job } = task
  if (!residency) return
  leave(turn, task)
  fallBack(task)
  if (job.cancelRequested) goOn(turn, job)
  else takeFailure(turn, task, code, retryable, residency)
}

function isRecalled({ state, job }: Task): boolean {
  return state === 'recalled' && !job.cancelRequested
}

/** Its worker has let go of it, as it was told to. */
function takeRecalled(turn: Turn, task: Task): void {
  const { job } = task
  leave(turn, task)
  if (fallBack(task)) setBackJob(turn, job, 'model_unloaded', null)
  goOn(turn, job)
}
