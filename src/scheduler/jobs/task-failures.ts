/** What a job makes of the failure of one of its tasks: another attempt, while that may help and attempts are left; else the end of all of it. */

import { returnTask } from '../admission/next-tasks.ts'
import type { JobFailureCode } from '../commands.ts'
import type { TaskFailureCode } from '../events.ts'
import { availableBytes } from '../memory/ledger.ts'
import { deviceOf, type LiveResidency, type Task } from '../state.ts'
import type { Turn } from '../turn.ts'
import { failJob, requeueJob } from './jobs.ts'
import { climb } from './memory-ladder.ts'
import { dropOutput } from './outputs.ts'

/** The task has left its worker, where it was at home in `residency`. What fails together, in one step, counts once. */
export function takeFailure(
  turn: Turn,
  task: Task,
  code: TaskFailureCode,
  retryable: boolean,
  residency: LiveResidency,
): void {
  const { job } = task
  const jobCode = jobFailureCodes[code]
  const isFirst = !turn.setBack.has(job)
  if (code === 'stale_model') return takeStale(turn, task, isFirst)
  // A deadline does not move, so that another attempt could only fail again; whoever asked may ask anew.
  if (code === 'deadline_exceeded') return failJob(turn, job, jobCode, true, task)
  const isHopeless = code === 'invalid_request' || code === 'artifact_missing'
  if (isHopeless || !retryable) return failJob(turn, job, jobCode, retryable && !isHopeless, task)
  if (code === 'out_of_memory') return takeShortage(turn, task, residency, isFirst)
  if (isFirst) job.failedAttempts += 1
  if (job.failedAttempts >= turn.state.settings.attemptLimit) return failJob(turn, job, jobCode, true, task)
  const cause = code === 'input_missing' ? 'engine_error' : code
  // What its worker does not hold any more is made again.
  if (code === 'input_missing') for (const producer of task.after) dropOutput(turn, producer)
  task.isSuspect = false
  requeueJob(turn, job, cause, null)
  returnTask(turn, task, cause)
}

/** One state alone did not fit. While something can be done about that, it is no fault of the job's. */
function takeShortage(turn: Turn, task: Task, residency: LiveResidency, isFirst: boolean): void {
  const { job } = task
  const remedy = isFirst ? climb(turn, job, residency) : null
  if (isFirst && remedy === null) {
    job.failedAttempts += 1
    const device = deviceOf(residency)
    const memory = { limitBytes: device.spec.limitBytes, availableBytes: Math.max(0, availableBytes(device)) }
    return failJob(turn, job, 'OUT_OF_MEMORY', true, task, memory)
  }
  task.isSuspect = false
  requeueJob(turn, job, 'out_of_memory', null, remedy ?? undefined)
  returnTask(turn, task, 'out_of_memory')
}

/** What it computed is worth nothing, through no fault of its own; but a model that is stale again and again is not tried for ever. */
function takeStale(turn: Turn, task: Task, isFirst: boolean): void {
  const { job } = task
  if (isFirst) job.staleAttempts += 1
  if (job.staleAttempts >= turn.state.settings.staleLimit) return failJob(turn, job, 'MODEL_VERSION_GONE', true, task)
  task.isSuspect = false
  requeueJob(turn, job, 'stale_model', null)
  returnTask(turn, task, 'stale_model')
}

const jobFailureCodes: Readonly<Record<TaskFailureCode, JobFailureCode>> = {
  out_of_memory: 'OUT_OF_MEMORY',
  engine_error: 'ENGINE_ERROR',
  deadline_exceeded: 'DEADLINE_EXCEEDED',
  invalid_request: 'INVALID_INPUT',
  stale_model: 'MODEL_VERSION_GONE',
  artifact_missing: 'ARTIFACT_MISSING',
  input_missing: 'ENGINE_ERROR',
}
