/** The queue as a whole, computed when asked. */
import type { PriorityClass } from '../events.ts'
import type { JobId, Millis, VersionId } from '../ids.ts'
import { compareTurns } from '../queues/ordered-queue.ts'
import { type Job, type Lanes, priorityClasses, type SchedulerState, type Task, type Version } from '../state.ts'
import { estimatedStartAt } from './estimate.ts'

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

function laneView(state: SchedulerState, priorityClass: PriorityClass, now: Millis): QueueLane {
  return {
    class: priorityClass,
    queued: state.waiting[priorityClass].size,
    running: state.runningCount[priorityClass],
    paused: state.pausedCount[priorityClass],
    get oldestQueuedMs() {
      return waitedMs(state.waiting[priorityClass], now)
    },
    estimatedDrainMs: estimatedDrainMs(state, priorityClass, now),
  }
}

/** Until the last job that waits now begins, if nothing comes after. */
function estimatedDrainMs(state: SchedulerState, priorityClass: PriorityClass, now: Millis): number | null {
  let longestMs = 0
  for (const version of state.versions.values()) {
    const last =
      lanesFor(version)
        .flatMap((lanes) => lanes[priorityClass].last()?.job ?? [])
        .sort(byTurn)
        .at(-1) ?? unstartedJobs(version).findLast((job) => job.class === priorityClass)
    if (!last) continue
    const startAt = estimatedStartAt(state, last, now)
    if (startAt === null) return null
    longestMs = Math.max(longestMs, startAt - now)
  }
  return longestMs
}

function modelView(state: SchedulerState, version: Version, now: Millis): QueueModel | null {
  const [next] = headsOf(version)
  if (!next) return null
  const unstarted = version.residencies.reduce((sum, { admitted, running }) => sum + admitted - running, 0)
  const waiting = lanesFor(version).reduce((sum, { interactive, batch }) => sum + interactive.size + batch.size, 0)
  return {
    versionId: version.spec.versionId,
    queued: waiting + version.suspects.size + unstarted,
    get oldestQueuedMs() {
      return longestWaitMs(version, now)
    },
    estimatedStartAt: estimatedStartAt(state, next, now),
  }
}

/** Wherever tasks of the version wait: for any device, for the one that their job was given, or where their job is at home. */
function lanesFor(version: Version): Lanes[] {
  return [version, ...version.bound.values(), ...version.residencies].map(({ lanes }) => lanes)
}

/** Turns are not given by age alone, so whoever has waited longest may be anywhere. */
function waitedMs(jobs: Iterable<Job>, now: Millis): number | null {
  let oldestAt = Number.POSITIVE_INFINITY
  for (const { submittedAt } of jobs) oldestAt = Math.min(oldestAt, submittedAt)
  return oldestAt === Number.POSITIVE_INFINITY ? null : now - oldestAt
}

function longestWaitMs(version: Version, now: Millis): number {
  const queues = [version.suspects, ...lanesFor(version).flatMap(({ interactive, batch }) => [interactive, batch])]
  const waits = queues.map((queue) => waitedMs(jobsOf(queue), now) ?? 0)
  return Math.max(...waits, waitedMs(unstartedJobs(version), now) ?? 0)
}

function* jobsOf(tasks: Iterable<Task>): Generator<Job> {
  for (const { job } of tasks) yield job
}

/** Among them the next is: what workers hold unstarted, and the heads of the queues. */
function headsOf(version: Version): Job[] {
  const lanes = lanesFor(version).flatMap(({ interactive, batch }) => [interactive, batch])
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
