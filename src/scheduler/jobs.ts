/**
 * A job's life: QUEUED -> LOADING (its model loads for it) -> RUNNING (one of its tasks has started) -> exactly one end. Setbacks lead back to
 * QUEUED, in its old place. What happens to tasks at workers is decided elsewhere; here are the transitions and what users are told of them.
 */
import type { Command, JobFailureCode, RequeueCause } from './commands.ts'
import type { DecisionReason } from './decisions.ts'
import type { JobSpec, TaskSpec, WorkerExitCause } from './events.ts'
import { endAlone, leave, takeFromLetter } from './membership.ts'
import { type Device, isGone, type Job, type SchedulerState, type Task, type Version } from './state.ts'
import { decided, letterTo, type Turn } from './turn.ts'

/** What a job has behind it when it comes. */
export type History = Pick<Job, 'attempt' | 'failedAttempts' | 'deathsAlone'>
const newcomer: History = { attempt: 0, failedAttempts: 0, deathsAlone: 0 }

/** Takes a job in; its tasks are not in a queue yet. Null if it is here already, or cannot run because its version is gone. */
export function acceptJob(turn: Turn, spec: JobSpec, history: History = newcomer): Job | null {
  const { state } = turn
  const { jobId, sessionId, class: priorityClass, submittedAt, deadlineAt } = spec
  if (state.jobs.has(jobId)) return null
  assertGraph(spec)
  const job: Job = {
    jobId,
    sessionId,
    class: priorityClass,
    submittedAt,
    deadlineAt,
    order: state.nextOrder,
    tasks: [],
    state: 'queued',
    attempt: history.attempt,
    failedAttempts: history.failedAttempts,
    deathsAlone: history.deathsAlone,
    staleAttempts: 0,
    cancelRequested: false,
    tasksAtWorkers: 0,
    tasksLeft: spec.tasks.length,
    deadlineSlot: -1,
  }
  for (const task of spec.tasks) {
    const version = state.versions.get(task.versionId)
    if (!version || isGone(version)) {
      turn.commands.push({ type: 'jobFailed', jobId, code: 'MODEL_VERSION_GONE', retryable: false, taskId: null })
      return null
    }
    job.tasks.push(createTask(job, task, version, state.nextOrder + job.tasks.length))
  }
  for (const task of job.tasks) state.tasks.set(task.taskId, task)
  state.jobs.set(jobId, job)
  state.nextOrder += job.tasks.length
  state.waiting[priorityClass].add(job)
  if (deadlineAt !== null) state.deadlines.add(job)
  return job
}

function createTask(job: Job, { taskId, after }: TaskSpec, version: Version, order: number): Task {
  return { taskId, job, version, after, order, state: 'blocked', residency: null, startedAt: null, unstartedDeaths: 0 }
}

/** Tasks whose predecessors have ended join their lanes; `asSuspects`: to be retried alone. */
export function enqueueReady(turn: Turn, job: Job, asSuspects = false): void {
  for (const task of job.tasks) {
    if (task.state === 'blocked' && task.after.every((taskId) => turn.state.tasks.get(taskId)?.state === 'done'))
      enqueue(turn, task, asSuspects)
  }
}

export function enqueue(turn: Turn, task: Task, asSuspect: boolean): void {
  const { version } = task
  task.state = asSuspect ? 'suspect' : 'waiting'
  if (asSuspect) version.suspects.add(task)
  else version.lanes[task.job.class].add(task)
  turn.touched.add(version)
}

/** Takes a task out of the queue that it waits in. */
export function dequeue(turn: Turn, task: Task): void {
  const { version, job } = task
  if (task.state === 'suspect') {
    version.suspects.remove(task)
    if (version.aloneAt?.alone === task) endAlone(turn, version.aloneAt)
  } else {
    version.lanes[job.class].remove(task)
  }
  turn.touched.add(version)
}

export function startJob(turn: Turn, job: Job, device: Device, task: Task): void {
  if (job.state === 'running' || !task.residency) return
  moveTo(turn.state, job, 'running')
  const { jobId, attempt } = job
  turn.commands.push({
    type: 'jobStarted',
    jobId,
    attempt,
    deviceId: device.spec.deviceId,
    workerId: task.residency.worker.workerId,
  })
}

export function announceLoading(turn: Turn, job: Job, device: Device): void {
  if (job.attempt === 0) job.attempt = 1
  moveTo(turn.state, job, 'loading')
  turn.commands.push({ type: 'jobLoading', jobId: job.jobId, attempt: job.attempt, deviceId: device.spec.deviceId })
}

/** The task has left its worker with a result. */
export function completeTask(turn: Turn, task: Task): void {
  const { job } = task
  task.state = 'done'
  job.tasksLeft -= 1
  if (job.tasksLeft === 0)
    finishJob(turn, job, { type: 'jobSucceeded', jobId: job.jobId, taskId: lastSink(job).taskId })
  else if (job.cancelRequested) cancelIfGone(turn, job)
  else enqueueReady(turn, job)
}

/** Another attempt begins. */
export function requeueJob(turn: Turn, job: Job, cause: RequeueCause, exit: WorkerExitCause | null): void {
  moveTo(turn.state, job, 'queued')
  job.attempt += 1
  const { jobId, attempt, failedAttempts, deathsAlone } = job
  turn.commands.push({ type: 'jobRequeued', jobId, attempt, cause, exit, fromStep: 0, failedAttempts, deathsAlone })
}

/** The task has left its worker without a result and goes back to its place. */
export function returnTask(turn: Turn, task: Task, reason: DecisionReason, asSuspect: boolean): void {
  decided(turn, { kind: 'REQUEUE', reason, jobId: task.job.jobId, versionId: task.version.spec.versionId })
  enqueue(turn, task, asSuspect)
}

export function failJob(turn: Turn, job: Job, code: JobFailureCode, retryable: boolean, task: Task | null): void {
  finishJob(turn, job, { type: 'jobFailed', jobId: job.jobId, code, retryable, taskId: task?.taskId ?? null })
}

/** A cancelled job ends when no worker has anything of it any more. */
export function cancelIfGone(turn: Turn, job: Job): void {
  if (job.tasksAtWorkers === 0) finishJob(turn, job, { type: 'jobCancelled', jobId: job.jobId })
}

/** Tells a worker to drop a task. */
export function dropAtWorker(turn: Turn, task: Task): void {
  if (task.residency) letterTo(turn, task.residency.worker).cancellations.push(task.taskId)
}

function finishJob(turn: Turn, job: Job, end: Command): void {
  const { state } = turn
  if (job.state === 'running') state.runningCount[job.class] -= 1
  else state.waiting[job.class].remove(job)
  if (job.deadlineSlot >= 0) state.deadlines.removeAt(job.deadlineSlot)
  for (const task of job.tasks) {
    task.version.loadingJobs.delete(job)
    if (task.state === 'waiting' || task.state === 'suspect') dequeue(turn, task)
    if (task.residency) abandon(turn, task)
    else state.tasks.delete(task.taskId)
  }
  state.jobs.delete(job.jobId)
  turn.commands.push(end)
}

/** It occupies its worker until that says otherwise, though nobody wants it any more. */
function abandon(turn: Turn, task: Task): void {
  task.state = 'abandoned'
  // Its worker has not been told of it yet, and never will be.
  if (takeFromLetter(turn, task)) return forgetAbandoned(turn, task)
  if (!task.job.cancelRequested) dropAtWorker(turn, task)
}

/** An abandoned task has left its worker. */
export function forgetAbandoned(turn: Turn, task: Task): void {
  leave(turn, task)
  turn.state.tasks.delete(task.taskId)
}

function moveTo(state: SchedulerState, job: Job, to: Job['state']): void {
  if (to === 'running') {
    state.waiting[job.class].remove(job)
    state.runningCount[job.class] += 1
  } else if (job.state === 'running') {
    state.runningCount[job.class] -= 1
    state.waiting[job.class].add(job)
  }
  if (to !== 'loading') for (const task of job.tasks) task.version.loadingJobs.delete(job)
  job.state = to
}

/** The last task, in the order given, that no other task waits for: its output is the job's. */
function lastSink(job: Job): Task {
  const sink = job.tasks.findLast(({ taskId }) => !job.tasks.some(({ after }) => after.includes(taskId)))
  if (!sink) throw new Error(`Job ${job.jobId} has no last task.`)
  return sink
}

/** A graph that could never end is a mistake of the caller, and is found before anything changes. */
function assertGraph({ jobId, tasks }: JobSpec): void {
  if (tasks.length === 1 && tasks[0]?.after.length === 0) return
  const done = new Set<number>()
  for (let before = -1; before < done.size; ) {
    before = done.size
    for (const { taskId, after } of tasks) if (after.every((predecessor) => done.has(predecessor))) done.add(taskId)
  }
  if (tasks.length === 0 || done.size < tasks.length)
    throw new Error(`The tasks of job ${jobId} are none, form a cycle, or wait for a task that it does not have.`)
}
