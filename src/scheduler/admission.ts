/**
 * Which tasks go to which worker now. Each worker is given twice the batch limit of a version, per class, ahead of need, so that it composes its steps
 * without asking; interactive tasks are counted for themselves, so that a worker full of batch work still takes them at once. First come, first
 * admitted, per version: a version that cannot run holds up nobody else. Suspects of a worker's death go first, each alone.
 */

import type { PriorityClass } from './events.ts'
import type { Millis } from './ids.ts'
import { admit } from './membership.ts'
import {
  admissionLimit,
  type LiveResidency,
  priorityClasses,
  type SchedulerState,
  type Task,
  type Version,
} from './state.ts'
import type { Turn } from './turn.ts'

export function admitWaiting(turn: Turn, version: Version): void {
  if (turn.state.draining) return
  if (version.suspects.size > 0) retryAlone(turn, version)
  for (const priorityClass of priorityClasses) {
    const lane = version.lanes[priorityClass]
    for (let task = lane.first(); task; task = lane.first()) {
      const residency = leastLoadedWithRoom(turn.state, version, priorityClass)
      if (!residency) break
      lane.remove(task)
      admit(turn, task, residency, 'worker_has_room')
    }
  }
  for (const residency of version.residencies) noteSaturation(residency, turn.now)
}

/** It takes new tasks now. */
export function isOpen(residency: LiveResidency): boolean {
  const { worker } = residency
  return (
    residency.state === 'resident' && residency.ending === null && worker.state === 'ready' && worker.alone === null
  )
}

export function hasRoom(state: SchedulerState, residency: LiveResidency, priorityClass: PriorityClass): boolean {
  const taken = priorityClass === 'interactive' ? residency.interactive : residency.admitted
  return taken < admissionLimit(state, residency.version)
}

function leastLoadedWithRoom(
  state: SchedulerState,
  version: Version,
  priorityClass: PriorityClass,
): LiveResidency | null {
  let best: LiveResidency | null = null
  for (const residency of version.residencies) {
    if (!isOpen(residency) || !hasRoom(state, residency, priorityClass)) continue
    if (!best || residency.admitted < best.admitted) best = residency
  }
  return best
}

/** One suspect of a version at a time has a worker for itself: it is chosen, empties, and then takes only this task. */
function retryAlone(turn: Turn, version: Version): void {
  const worker = version.aloneAt ?? chooseWorkerForSuspect(version)
  const task = worker?.alone
  const residency = worker?.residencies.get(version.spec.versionId)
  if (!worker || !task || !residency || worker.tasks.size > 0 || task.state !== 'suspect') return
  version.suspects.remove(task)
  admit(turn, task, residency, 'retried_alone')
}

function chooseWorkerForSuspect(version: Version): LiveResidency['worker'] | null {
  const suspect = nextSuspect(version)
  let best: LiveResidency | null = null
  for (const residency of version.residencies) {
    if (isOpen(residency) && (!best || residency.worker.tasks.size < best.worker.tasks.size)) best = residency
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
  if (residency.admitted < residency.version.spec.batchLimit) residency.saturatedSince = null
  else residency.saturatedSince ??= now
}
