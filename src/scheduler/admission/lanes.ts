/**
 * Where a task waits until it is admitted. A job without a home waits in the lane of its version, for whichever residency has room first; one with a
 * home in the lane of that residency, so that a full home holds up nobody who could go elsewhere. Suspects wait apart.
 */

import type { OrderedQueue } from '../queues/ordered-queue.ts'
import type { Job, Lanes, LiveResidency, Task } from '../state.ts'
import type { Turn } from '../turn.ts'
import { endAlone } from './alone.ts'

/** Tasks whose predecessors have ended join their lanes. */
export function enqueueReady(turn: Turn, job: Job): void {
  for (const task of job.tasks) {
    if (task.state === 'blocked' && task.after.every(({ state }) => state === 'done')) enqueue(turn, task)
  }
}

function enqueue(turn: Turn, task: Task): void {
  const { version, job, isSuspect } = task
  task.state = isSuspect ? 'suspect' : 'waiting'
  if (isSuspect) version.suspects.add(task)
  else lanesOf(job)[job.class].add(task)
  turn.touched.add(version)
}

/** Takes a task out of the queue that it waits in; it is blocked until it joins one again. */
export function dequeue(turn: Turn, task: Task): void {
  const { version } = task
  if (task.state === 'suspect') {
    version.suspects.remove(task)
    if (version.aloneAt?.alone === task) endAlone(turn, version.aloneAt)
  } else {
    takeFromLane(task)
  }
  task.state = 'blocked'
  turn.touched.add(version)
}

export function takeFromLane(task: Task): void {
  lanesOf(task.job)[task.job.class].remove(task)
}

/** It waits in another place from now on. */
export function reorder(turn: Turn, job: Job, order: number): void {
  const { version } = job
  const isWaiting = turn.state.waiting[job.class].remove(job)
  const queued = job.tasks.filter(isQueued)
  for (const task of queued) queueOf(task).remove(task)
  job.order = order
  for (const task of job.tasks) task.order = order
  for (const task of queued) queueOf(task).add(task)
  if (isWaiting) turn.state.waiting[job.class].add(job)
  turn.touched.add(version)
}

function queueOf(task: Task): OrderedQueue<Task> {
  return task.state === 'suspect' ? task.version.suspects : lanesOf(task.job)[task.job.class]
}

/** Whatever of the job waits is blocked until it is enqueued again. */
export function dequeueAll(turn: Turn, job: Job): void {
  for (const task of job.tasks) if (isQueued(task)) dequeue(turn, task)
}

export function isQueued({ state }: Task): boolean {
  return state === 'waiting' || state === 'suspect'
}

/** The first of its tasks has been admitted there: the others follow. */
export function settle(turn: Turn, job: Job, residency: LiveResidency): void {
  const from = lanesOf(job)[job.class]
  const { aloneAt } = job.version
  // A suspect of it that was to have another worker for itself is retried where its job is now.
  if (aloneAt && aloneAt !== residency.worker && aloneAt.alone?.job === job) endAlone(turn, aloneAt)
  job.home = residency
  residency.jobs.add(job)
  for (const task of job.tasks) {
    if (task.state !== 'waiting') continue
    from.remove(task)
    residency.lanes[job.class].add(task)
  }
}

function lanesOf({ home, version }: Job): Lanes {
  return (home ?? version).lanes
}
