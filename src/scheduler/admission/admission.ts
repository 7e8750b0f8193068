/**
 * Which tasks go to which worker now. Each worker is given twice the batch limit of a version, per class, ahead of need, so that it composes its steps
 * without asking; interactive tasks are counted for themselves, so that a worker full of batch work still takes them at once. First come, first
 * admitted, per version and home: a version that cannot run holds up nobody else, and neither does a home that is full. A model that is still loading
 * takes what needs no more of it than is there. Suspects of a worker's death go first, each alone.
 */

import { batchLimitAt } from '../batching/step-policy.ts'
import type { PriorityClass } from '../events.ts'
import { hasTrust } from '../failover/circuit.ts'
import { isReservedFrom } from '../fairness/reserved.ts'
import type { Millis } from '../ids.ts'
import { isAvoided } from '../jobs/memory-climb.ts'
import { compareTurns, type OrderedQueue } from '../queues/ordered-queue.ts'
import {
  deviceOf,
  type LiveResidency,
  priorityClasses,
  type SchedulerState,
  steppingTasks,
  type Task,
  type Version,
  type Worker,
} from '../state.ts'
import type { Turn } from '../turn.ts'
import { boundHere } from './bound-lanes.ts'
import { takeFromLane } from './lanes.ts'
import { admit } from './membership.ts'

export function admitWaiting(turn: Turn, version: Version): void {
  if (version.suspects.size > 0 && !turn.state.draining) retryAlone(turn, version)
  for (const priorityClass of priorityClasses) while (admitNext(turn, version, priorityClass)) continue
  for (const residency of version.residencies) noteSaturation(residency, turn.now)
}

/** It takes new tasks now; while it loads, only those whose components are there. */
export function isOpen({ worker, state, ending, components }: LiveResidency): boolean {
  if (ending !== null || worker.state !== 'ready' || worker.isSuspected || worker.alone !== null) return false
  return state === 'resident' || (state === 'loading' && components.size > 0)
}

export function hasRoom(state: SchedulerState, residency: LiveResidency, priorityClass: PriorityClass): boolean {
  const { admitted, interactive } = residency
  if (isReservedFrom(state, deviceOf(residency), priorityClass)) return false
  const taken = priorityClass === 'interactive' ? interactive : admitted
  const limit = admissionLimit(state, residency)
  // However much interactive work there is, some of the batch work is there to get its slices.
  const isFirstOfBatch = priorityClass === 'batch' && admitted === interactive
  return (taken < limit || isFirstOfBatch) && hasTrust(residency, taken, limit)
}

/** Tasks of one class that a worker may hold of it: steps are composed of them, and there are more when one has ended. */
function admissionLimit({ settings }: SchedulerState, residency: LiveResidency): number {
  return settings.admitAheadFactor * batchLimitAt(residency)
}

/** The first task of a class that the residency could take: of the jobs at home there and of those without a home, whichever came first. */
export function nextFor(
  state: SchedulerState,
  residency: LiveResidency,
  priorityClass: PriorityClass,
): Task | undefined {
  const lane = residency.lanes[priorityClass]
  // What runs may end when the server stops; it has a home.
  if (state.draining)
    return lane.find((task) => task.job.state === 'running' && hasComponents(residency, task), lane.size)
  const own = firstFit(state, residency, lane)
  const free = residency.isRetiring ? undefined : firstFit(state, residency, residency.version.lanes[priorityClass])
  return earlier(earlier(own, free), firstBound(state, residency, priorityClass))
}

/** Of the jobs that are bound to the device. Where order is kept, only the very first. */
function firstBound(state: SchedulerState, residency: LiveResidency, priorityClass: PriorityClass): Task | undefined {
  const lane = residency.isRetiring ? undefined : boundHere(residency)?.[priorityClass]
  const first = lane && firstFit(state, residency, lane)
  const { line } = residency.worker.slot.device
  return line && first !== line.first() ? undefined : first
}

function earlier(a: Task | undefined, b: Task | undefined): Task | undefined {
  return a && (!b || compareTurns(a, b) < 0) ? a : b
}

/** Of what waits for a model that is still loading, only that is looked at which would be admitted first if it was whole. */
function firstFit(state: SchedulerState, residency: LiveResidency, lane: OrderedQueue<Task>): Task | undefined {
  const first = lane.first()
  if (residency.state === 'resident' && (!first || !isAvoided(first.job, residency))) return first
  const fits = (task: Task) => hasComponents(residency, task) && !isAvoided(task.job, residency)
  return lane.find(fits, admissionLimit(state, residency))
}

/** A task that names no component wants the whole model. */
function hasComponents({ state, components }: LiveResidency, task: Task): boolean {
  if (state === 'resident') return true
  return task.components.length > 0 && task.components.every((component) => components.has(component))
}

/** Whoever came first goes first, and to the least loaded of the places that are open to it. */
function admitNext(turn: Turn, version: Version, priorityClass: PriorityClass): boolean {
  const { state } = turn
  let first: Task | undefined
  let place: LiveResidency | undefined
  for (const residency of version.residencies) {
    if (!isOpen(residency) || !hasRoom(state, residency, priorityClass)) continue
    const task = nextFor(state, residency, priorityClass)
    if (!task || (first && compareTurns(task, first) > 0)) continue
    if (task === first && place && residency.admitted >= place.admitted) continue
    first = task
    place = residency
  }
  if (!first || !place) return false
  takeFromLane(first)
  admit(turn, first, place, 'worker_has_room')
  return true
}

/** One suspect of a version at a time has a worker for itself: it is chosen, empties, and then takes only this task. What is paused there may stay. */
function retryAlone(turn: Turn, version: Version): void {
  const worker = version.aloneAt ?? chooseWorkerForSuspect(version)
  const task = worker?.alone
  const residency = worker?.residencies.get(version.spec.versionId)
  if (!worker || !task || !residency || steppingTasks(worker) > 0 || task.state !== 'suspect') return
  version.suspects.remove(task)
  admit(turn, task, residency, 'retried_alone')
}

function chooseWorkerForSuspect(version: Version): Worker | null {
  const suspect = nextSuspect(version)
  let best: LiveResidency | null = null
  for (const residency of suspect?.job.home ? [suspect.job.home] : version.residencies) {
    if (residency.state !== 'resident' || !isOpen(residency)) continue
    if (residency.isRetiring && suspect?.job.home !== residency) continue
    if (!best || steppingTasks(residency.worker) < steppingTasks(best.worker)) best = residency
  }
  if (!best || !suspect) return null
  best.worker.alone = suspect
  version.aloneAt = best.worker
  return best.worker
}

function nextSuspect(version: Version): Task | undefined {
  for (const suspect of version.suspects) if (suspect.job.class === 'interactive') return suspect
  return version.suspects.first()
}

/** Between two ends of a worker that has all it can take lies the time that a task costs. */
function noteSaturation(residency: LiveResidency, now: Millis): void {
  if (residency.admitted < batchLimitAt(residency)) residency.saturatedSince = null
  else residency.saturatedSince ??= now
}
