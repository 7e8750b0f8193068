/** What a worker reports of its tasks. Reports of a worker that does not hold the task (any more) are about another attempt and are ignored. */
import type { JobFailureCode } from './commands.ts'
import type { TaskFailureCode, TaskReport } from './events.ts'
import { distrust } from './file-changes.ts'
import type { WorkerId } from './ids.ts'
import { cancelIfGone, completeTask, failJob, forgetAbandoned, requeueJob, returnTask, startJob } from './jobs.ts'
import { learnExecution, learnService } from './learning.ts'
import { leave, markStarted } from './membership.ts'
import type { LiveResidency, SchedulerState, Task } from './state.ts'
import type { Turn } from './turn.ts'

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
    if (task.state === 'abandoned') takeAbandoned(turn, task, report)
    else take(turn, task, report)
  }
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
      return begin(turn, task)
    case 'done':
      begin(turn, task)
      learnExecution(turn.state, task, turn.now)
      task.version.staleInARow = 0
      leave(turn, task)
      return completeTask(turn, task)
    case 'failed':
      leave(turn, task)
      return task.job.cancelRequested
        ? cancelIfGone(turn, task.job)
        : takeFailure(turn, task, report.code, report.retryable)
    case 'cancelled':
      leave(turn, task)
      // A worker that drops what nobody cancelled has failed to run it.
      return task.job.cancelRequested ? cancelIfGone(turn, task.job) : takeFailure(turn, task, 'engine_error', true)
    case 'withdrawn':
      return takeBack(turn, task)
    default:
      return report satisfies never
  }
}

/** A task is in a step. `started` may be missing where a step was so short that only its outcome was reported. */
function begin(turn: Turn, task: Task): void {
  if (task.state !== 'admitted' || !task.residency) return
  markStarted(turn, task)
  startJob(turn, task.job, task.residency.worker.slot.device, task)
}

/** Nothing of it has run; it waits as it did before it was admitted. */
function takeBack(turn: Turn, task: Task): void {
  const wasAlone = task.residency?.worker.alone === task
  leave(turn, task)
  if (task.job.cancelRequested) cancelIfGone(turn, task.job)
  else returnTask(turn, task, 'withdrawn', wasAlone)
}

function takeFailure(turn: Turn, task: Task, code: TaskFailureCode, retryable: boolean): void {
  const { job } = task
  const jobCode = jobFailureCodes[code]
  if (code === 'stale_model') return takeStale(turn, task)
  // A deadline does not move, so that another attempt could only fail again; whoever asked may ask anew.
  if (code === 'deadline_exceeded') return failJob(turn, job, jobCode, true, task)
  const isHopeless = code === 'invalid_request' || code === 'artifact_missing'
  if (isHopeless || !retryable) return failJob(turn, job, jobCode, retryable && !isHopeless, task)
  job.failedAttempts += 1
  if (job.failedAttempts >= turn.state.settings.attemptLimit) return failJob(turn, job, jobCode, true, task)
  requeueJob(turn, job, code, null)
  returnTask(turn, task, code, false)
}

/** What it computed is worth nothing, through no fault of its own; but a model that is stale again and again is not tried for ever. */
function takeStale(turn: Turn, task: Task): void {
  const { job } = task
  job.staleAttempts += 1
  if (job.staleAttempts >= turn.state.settings.staleLimit) return failJob(turn, job, 'MODEL_VERSION_GONE', true, task)
  requeueJob(turn, job, 'stale_model', null)
  returnTask(turn, task, 'stale_model', false)
}

const jobFailureCodes: Readonly<Record<TaskFailureCode, JobFailureCode>> = {
  out_of_memory: 'OUT_OF_MEMORY',
  engine_error: 'ENGINE_ERROR',
  deadline_exceeded: 'DEADLINE_EXCEEDED',
  invalid_request: 'INVALID_INPUT',
  stale_model: 'MODEL_VERSION_GONE',
  artifact_missing: 'ARTIFACT_MISSING',
}
