/**
 * Where a task waits until it is admitted. A job without a home waits in the lane of its version, for whichever residency has room first; one with a
 * home in the lane of that residency, so that a full home holds up nobody who could go elsewhere. Suspects wait apart.
 */

import { createLanes } from '../blank.ts'
import { isResting } from '../jobs/memory-climb.ts'
import type { BoundLanes, Device, Job, Lanes, LiveResidency, Task, Version } from '../state.ts'
import type { Turn } from '../turn.ts'
import { endAlone } from './alone.ts'

/** Tasks whose predecessors have ended join their lanes. */
export function enqueueReady(turn: Turn, job: Job): void {
  if (isResting(job)) return
  for (const task of job.tasks) {
    if (task.state === 'blocked' && task.after.every(({ state }) => state === 'done')) enqueue(turn, task)
  }
}

function enqueue(turn: Turn, task: Task): void {
  const { version, isSuspect } = task
  task.state = isSuspect ? 'suspect' : 'waiting'
  touchNextInLine(turn, task.job)
  if (isSuspect) version.suspects.add(task)
  else joinLane(task)
  turn.touched.add(version)
}

/** Takes a task out of the queue that it waits in; it is blocked until it joins one again. */
export function dequeue(turn: Turn, task: Task): void {
  const { version, job } = task
  if (task.state === 'suspect') {
    version.suspects.remove(task)
    if (version.aloneAt?.alone === task) endAlone(turn, version.aloneAt)
  } else {
    takeFromLane(task)
    touchNextInLine(turn, job)
  }
  task.state = 'blocked'
  turn.touched.add(version)
}

export function takeFromLane(task: Task): void {
  const { job } = task
  lanesOf(job)[job.class].remove(task)
  if (!job.home) job.boundTo?.line?.remove(task)
}

/** Also for a task that is restored. */
export function joinLane(task: Task): void {
  const { job } = task
  lanesOf(job)[job.class].add(task)
  if (!job.home) job.boundTo?.line?.add(task)
}

/** Where order is kept, another model may be the one that is to be loaded or served now. */
function touchNextInLine(turn: Turn, { boundTo }: Job): void {
  const next = boundTo?.line?.first()
  if (next) turn.touched.add(next.version)
}

/** It waits in another place from now on. */
export function reorder(turn: Turn, job: Job, order: number): void {
  const { version } = job
  const isWaiting = turn.state.waiting[job.class].remove(job)
  const queued = job.tasks.filter(isQueued)
  touchNextInLine(turn, job)
  for (const task of queued) leaveQueue(task)
  job.order = order
  for (const task of queued) joinQueue(task)
  touchNextInLine(turn, job)
  if (isWaiting) turn.state.waiting[job.class].add(job)
  turn.touched.add(version)
}

function joinQueue(task: Task): void {
  if (task.state === 'suspect') task.version.suspects.add(task)
  else joinLane(task)
}

function leaveQueue(task: Task): void {
  if (task.state === 'suspect') task.version.suspects.remove(task)
  else takeFromLane(task)
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
  const { aloneAt } = job.version
  // A suspect of it that was to have another worker for itself is retried where its job is now.
  if (aloneAt && aloneAt !== residency.worker && aloneAt.alone?.job === job) endAlone(turn, aloneAt)
  const waiting = job.tasks.filter(({ state }) => state === 'waiting')
  for (const task of waiting) takeFromLane(task)
  job.home = residency
  residency.jobs.add(job)
  for (const task of waiting) joinLane(task)
  touchNextInLine(turn, job)
}

/** Of a job that is in no queue: it is given no device any more. */
export function unbind(job: Job): void {
  if (!job.boundTo) return
  job.boundTo.boundMs -= job.boundMs
  job.boundTo = null
  job.boundMs = 0
}

/** At its home, at the device that it is bound to, or where all wait whose jobs have neither. */
export function lanesOf({ home, boundTo, version }: Job): Lanes {
  if (home) return home.lanes
  return boundTo ? boundLanesOf(version, boundTo).lanes : version.lanes
}

export function boundLanesOf(version: Version, device: Device): BoundLanes {
  let bound = version.bound.get(device)
  if (!bound) {
    bound = { device, version, lanes: createLanes() }
    version.bound.set(device, bound)
    inOrder(version)
  }
  return bound
}

/** By device, so that a state that is restored goes through them in the same order. */
function inOrder({ bound }: Version): void {
  const ordered = [...bound].sort(([a], [b]) => a.spec.deviceId - b.spec.deviceId)
  bound.clear()
  for (const [device, lanes] of ordered) bound.set(device, lanes)
}
