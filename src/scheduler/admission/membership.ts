/** Which tasks a worker holds, and which of them may step. Whatever counts them is kept here and nowhere else. */

import { noteArrival } from '../batching/policy-changes.ts'
import type { Admission } from '../commands.ts'
import type { DecisionReason } from '../explain/decisions.ts'
import { stepMsMaxOf } from '../failover/patience.ts'
import { noteServed } from '../fairness/turns.ts'
import { beginWork, endWork } from '../fairness/work-clock.ts'
import { charge, release } from '../memory/ledger.ts'
import { noteBegun } from '../placement/overtaking.ts'
import { noteStart } from '../placement/policies/outcomes.ts'
import type { LiveResidency, SchedulerState, Task } from '../state.ts'
import { decided, letterTo, type Turn } from '../turn.ts'
import { endAlone } from './alone.ts'
import { settle } from './lanes.ts'

/** The task is in no queue any more. */
export function admit(turn: Turn, task: Task, residency: LiveResidency, reason: DecisionReason): void {
  const { job } = task
  const { worker } = residency
  if (job.attempt === 0) job.attempt = 1
  task.state = 'admitted'
  noteServed(turn, job)
  if (job.home === null) {
    settle(turn, job, residency)
    noteBegun(turn, job)
  }
  task.residency = residency
  worker.tasks.add(task)
  turn.state.tasks.set(task.taskId, task)
  job.tasksAtWorkers += 1
  count(turn, task, residency, 1)
  if (job.class === 'interactive') noteArrival(turn, worker.slot.device)
  letterTo(turn, worker).admissions.push(admissionOf(turn.state, task))
  decided(turn, {
    kind: 'ADMIT',
    reason,
    jobId: job.jobId,
    versionId: task.version.spec.versionId,
    deviceId: worker.slot.device.spec.deviceId,
    workerId: worker.workerId,
  })
}

function admissionOf(state: SchedulerState, task: Task): Admission {
  const { taskId, job, order, stage, isHeld, after, checkpointStep } = task
  return {
    taskId,
    jobId: job.jobId,
    class: job.class,
    order,
    attempt: job.attempt,
    deadlineAt: job.deadlineAt,
    stage,
    isHeld,
    inputs: after.filter((predecessor) => predecessor.isHeld).map((predecessor) => predecessor.taskId),
    isRestored: checkpointStep !== null,
    stepMsMax: stepMsMaxOf(state, task),
  }
}

/** True if the task was admitted in this very turn: then its worker does not hear of it. */
export function takeFromLetter({ letters }: Turn, task: Task): boolean {
  const admissions = task.residency ? letters.get(task.residency.worker)?.admissions : undefined
  const index = admissions?.findIndex(({ taskId }) => taskId === task.taskId) ?? -1
  if (index >= 0) admissions?.splice(index, 1)
  return index >= 0
}

/** Its first step begins. */
export function markStarted(turn: Turn, task: Task): void {
  if (task.startedAt !== null || !task.residency) return
  if (task.state === 'admitted') task.state = 'started'
  task.startedAt = turn.now
  task.reportedAt = turn.now
  task.residency.running += 1
  if (task.job.forecast) noteStart(task.job, turn.now)
  beginWork(task, turn.now)
}

/** Its worker leaves it out of steps, and keeps its state of so many bytes. */
export function park(turn: Turn, task: Task, stateBytes: number): void {
  const { residency, job } = task
  if (!residency) throw new Error(`Task ${task.taskId} is at no worker.`)
  count(turn, task, residency, -1)
  residency.parked += 1
  turn.touched.add(task.version)
  task.state = 'paused'
  task.pausedState = charge(turn, 'paused_state', stateBytes, residency, job)
}

/** Its worker takes it into steps again. */
export function unpark(turn: Turn, task: Task): void {
  const { residency } = task
  if (!residency || !task.pausedState) throw new Error(`Task ${task.taskId} is paused at no worker.`)
  forgetState(turn, task, residency)
  count(turn, task, residency, 1)
  turn.touched.add(task.version)
  task.state = task.startedAt === null ? 'admitted' : 'started'
  if (task.startedAt !== null) task.reportedAt = turn.now
}

/** The worker knows nothing of the task any more. It is in no queue until the caller puts it into one. */
export function leave(turn: Turn, task: Task): void {
  const { job, residency } = task
  if (!residency) throw new Error(`Task ${task.taskId} is at no worker.`)
  const { worker } = residency
  const { device } = worker.slot
  worker.tasks.delete(task)
  turn.state.tasks.delete(task.taskId)
  if (task.pausedState) forgetState(turn, task, residency)
  else count(turn, task, residency, -1)
  residency.lastUsedAt = turn.now
  if (job.class === 'interactive') residency.interactiveAt = turn.now
  if (task.state !== 'abandoned') task.state = 'blocked'
  task.residency = null
  task.startedAt = null
  task.reportedAt = null
  job.tasksAtWorkers -= 1
  turn.touched.add(task.version)
  if (worker.alone === task) endAlone(turn, worker)
  else if (worker.alone) turn.touched.add(worker.alone.version)
  if (turn.state.wanted.size > 0 && (residency.admitted === 0 || device.admitted === 0)) turn.freed.add(device)
}

function forgetState(turn: Turn, task: Task, residency: LiveResidency): void {
  if (task.pausedState) release(turn, task.pausedState)
  task.pausedState = null
  residency.parked -= 1
}

/** `by` = 1: it may step from now on; -1: no longer. */
function count(turn: Turn, task: Task, residency: LiveResidency, by: 1 | -1): void {
  const { job } = task
  const { device } = residency.worker.slot
  residency.admitted += by
  if (job.class === 'interactive') residency.interactive += by
  if (task.startedAt !== null) {
    residency.running += by
    if (by === 1) beginWork(task, turn.now)
    else endWork(task, turn.now)
  }
  device.admitted += by
  if (device.admitted === (by === 1 ? 1 : 0)) turn.state.fleet.note(device)
  // What is idle could be had at once, what is busy could not.
  if (residency.admitted === (by === 1 ? 1 : 0)) turn.pressureDue.add(device)
  job.tasksStepping += by
  turn.leasesDue.add(device)
  if (job.deadlineAt === null) return
  // A worker watches over the deadline of what it steps.
  const { deadlines } = turn.state
  if (job.tasksStepping > 0 && job.deadlineSlot >= 0) deadlines.removeAt(job.deadlineSlot)
  else if (job.tasksStepping === 0 && job.deadlineSlot < 0 && isWatched(task)) deadlines.add(job)
}

/** Its end is still open, and nobody has asked for it. */
function isWatched({ job, state }: Task): boolean {
  return state !== 'abandoned' && !job.cancelRequested
}
