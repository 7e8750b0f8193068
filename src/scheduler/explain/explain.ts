/** Answers about waiting, computed when asked: why, in which place, until when, and the queue as a whole. */

import type { PriorityClass } from '../events.ts'
import type { JobId, Millis, VersionId } from '../ids.ts'
import { compareTurns } from '../queues/ordered-queue.ts'
import { backlogOf, type Job, priorityClasses, type SchedulerState, type Version } from '../state.ts'
import { estimatedStartAt } from './estimate.ts'
import type { WaitCode } from './wait-code.ts'
import { waitReason } from './wait-reason.ts'

export interface Waiting {
  readonly code: WaitCode
  readonly reason: string
  /** From 1, over all models; null for a job that is paused: it is in no queue. */
  readonly queuePosition: number | null
  readonly estimatedStartAt: Millis | null
}

/** Null for a job that runs, has ended or is unknown. */
export function explainWait(state: SchedulerState, jobId: JobId, now: Millis): Waiting | null {
  const job = state.jobs.get(jobId)
  if (!job || job.state === 'running') return null
  const isPaused = job.state === 'paused'
  return {
    ...waitReason(state, job, now),
    queuePosition: isPaused ? null : queuePosition(state, job),
    estimatedStartAt: isPaused || state.draining ? null : estimatedStartAt(state, job, now),
  }
}

export interface QueueView {
  readonly at: Millis
  readonly limit: number
  readonly lanes: readonly QueueLane[]
  readonly models: readonly QueueModel[]
  /** The jobs that are next in today's order. */
  next(first: number): readonly JobId[]
}

export interface QueueLane {
  readonly class: PriorityClass
  readonly queued: number
  readonly running: number
  readonly paused: number
  readonly oldestQueuedMs: number | null
  readonly estimatedDrainMs: number | null
}

export interface QueueModel {
  readonly versionId: VersionId
  readonly queued: number
  readonly oldestQueuedMs: number
  /** Of the job that is next for it. */
  readonly estimatedStartAt: Millis | null
}

/** `limit`: how many jobs may wait, as whoever lets them in has it. */
export function queueView(state: SchedulerState, now: Millis, limit: number): QueueView {
  const next = (first: number) => {
    const interactive = state.waiting.interactive.take(first)
    return [...interactive, ...state.waiting.batch.take(first - interactive.length)].map(({ jobId }) => jobId)
  }
  const lanes = priorityClasses.map((priorityClass) => laneView(state, priorityClass, now))
  const models = [...state.versions.values()].flatMap((version) => modelView(state, version, now) ?? [])
  return { at: now, limit, lanes, models, next }
}

function queuePosition({ waiting }: SchedulerState, job: Job): number {
  const ahead = job.class === 'interactive' ? 0 : waiting.interactive.size
  return ahead + waiting[job.class].rank(job) + 1
}

function laneView(state: SchedulerState, priorityClass: PriorityClass, now: Millis): QueueLane {
  const oldest = state.waiting[priorityClass].first()
  return {
    class: priorityClass,
    queued: state.waiting[priorityClass].size,
    running: state.runningCount[priorityClass],
    paused: state.pausedCount[priorityClass],
    oldestQueuedMs: oldest ? now - oldest.submittedAt : null,
    estimatedDrainMs: estimatedDrainMs(state, priorityClass, now),
  }
}

/** Until the last job that waits now begins, if nothing comes after. */
function estimatedDrainMs(state: SchedulerState, priorityClass: PriorityClass, now: Millis): number | null {
  let longestMs = 0
  for (const version of state.versions.values()) {
    const last =
      version.lanes[priorityClass].last()?.job ?? unstartedJobs(version).findLast((job) => job.class === priorityClass)
    if (!last) continue
    const startAt = estimatedStartAt(state, last, now)
    if (startAt === null) return null
    longestMs = Math.max(longestMs, startAt - now)
  }
  return longestMs
}

function modelView(state: SchedulerState, version: Version, now: Millis): QueueModel | null {
  const waiting = headsOf(version)
  const [next] = waiting
  if (!next) return null
  const unstarted = version.residencies.reduce((sum, { admitted, running }) => sum + admitted - running, 0)
  const atHomes = version.residencies.reduce((sum, { lanes }) => sum + lanes.interactive.size + lanes.batch.size, 0)
  const oldestAt = Math.min(...waiting.map(({ submittedAt }) => submittedAt))
  return {
    versionId: version.spec.versionId,
    queued: backlogOf(version) + atHomes + unstarted,
    oldestQueuedMs: now - oldestAt,
    estimatedStartAt: estimatedStartAt(state, next, now),
  }
}

/** Those among which the next and the oldest are: what workers hold unstarted, and the heads of the queues. */
function headsOf(version: Version): Job[] {
  const lanes = [version, ...version.residencies].flatMap((place) => [place.lanes.interactive, place.lanes.batch])
  const heads = [version.suspects, ...lanes].flatMap((queue) => queue.first()?.job ?? [])
  return [...unstartedJobs(version), ...heads].sort(byTurn)
}

function unstartedJobs(version: Version): Job[] {
  const jobs: Job[] = []
  for (const { worker } of version.residencies) {
    for (const task of worker.tasks) if (task.version === version && task.state === 'admitted') jobs.push(task.job)
  }
  return jobs.sort(byTurn)
}

function byTurn(a: Job, b: Job): number {
  return Number(a.class === 'batch') - Number(b.class === 'batch') || compareTurns(a, b)
}
