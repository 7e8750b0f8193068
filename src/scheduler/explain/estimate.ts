/** When a waiting job will probably start, from learnt times only; null rather than a guess. */
import { isOpen } from '../admission/admission.ts'
import { batchLimitAt } from '../batching/step-policy.ts'
import type { Millis } from '../ids.ts'
import { serviceMsOf } from '../learning/learning.ts'
import { offersFor } from '../placement/placement.ts'
import { wantOf } from '../placement/wants.ts'
import { compareTurns } from '../queues/ordered-queue.ts'
import {
  isLive,
  type Job,
  type Lanes,
  type LiveResidency,
  type SchedulerState,
  type Task,
  type Version,
} from '../state.ts'

/** The task that the job waits for. */
export function nextTask(job: Job): Task | undefined {
  return job.tasks.find(({ state }) => state === 'waiting' || state === 'suspect' || state === 'admitted')
}

export function estimatedStartAt(state: SchedulerState, job: Job, now: Millis): Millis | null {
  const task = nextTask(job)
  if (!task || task.state === 'suspect') return null
  const { version } = task
  const places = placesOf(task).filter(
    (place) => task.residency !== null || (place.state === 'resident' && isOpen(place)),
  )
  if (places.length > 0) {
    const running = places.reduce((sum, residency) => sum + residency.running, 0)
    const room = places.reduce((sum, residency) => sum + batchLimitAt(residency), 0)
    const freePlaces = Math.max(0, room - running)
    return startAfter(version, now, tasksAhead(task) - freePlaces, places.length)
  }
  const readyAt = isOnItsWay(version) ? loadedAt(version, now) : loadableAt(state, version, now)
  return readyAt === null ? null : startAfter(version, readyAt, tasksAhead(task) - version.spec.batchLimit, 1)
}

/** Where it is, or may be admitted. */
function placesOf({ residency, job, version }: Task): readonly LiveResidency[] {
  const only = residency ?? job.home
  return only ? [only] : version.residencies
}

/** Tasks of the version that have not started and go first, here or at its worker. */
export function tasksAhead(task: Task): number {
  const { version, residency } = task
  const places = placesOf(task)
  const atWorkers = places.reduce((sum, place) => sum + unstartedAhead(place, task), 0)
  if (residency) return atWorkers
  if (task.state === 'suspect') return atWorkers + version.suspects.rank(task)
  const inLanes = places.reduce((sum, { lanes }) => sum + waitingAhead(lanes, task), waitingAhead(version.lanes, task))
  return atWorkers + version.suspects.size + inLanes
}

function waitingAhead({ interactive, batch }: Lanes, task: Task): number {
  return task.job.class === 'interactive' ? interactive.rank(task) : interactive.size + batch.rank(task)
}

/** When the load in flight ends; null if none is, nothing is learnt, or it takes longer than ever before. */
export function loadedAt(version: Version, now: Millis): Millis | null {
  const loading = version.residencies.find((residency) => residency.state === 'loading' && isLive(residency))
  if (!loading || version.learnt.loadMs === null) return null
  const at = loading.loadStartedAt + version.learnt.loadMs
  return at < now ? null : Math.round(at)
}

function isOnItsWay({ residencies }: Version): boolean {
  return residencies.some((residency) => residency.state === 'loading' && isLive(residency))
}

/** When it would be there if its load began as soon as its best device can take it; null if it has never been loaded, or has to wait for others to go. */
function loadableAt(state: SchedulerState, version: Version, now: Millis): Millis | null {
  const want = version.learnt.loadMs === null || now < version.notBefore ? null : wantOf(state, version, now)
  const [best] = want ? offersFor(state, version, want, now) : []
  if (!best?.completion || best.isHeldBack || best.device.claim !== null) return null
  return Math.round(now + best.completion.waitMs + best.completion.loadMs)
}

/** `tooMany`: how many more are ahead than can start at once; negative = it is among those. */
function startAfter(version: Version, readyAt: Millis, tooMany: number, places: number): Millis | null {
  if (tooMany < 0) return readyAt
  const serviceMs = serviceMsOf(version.learnt, version.spec.batchLimit)
  return serviceMs === null ? null : Math.round(readyAt + ((tooMany + 1) * serviceMs) / places)
}

function unstartedAhead({ worker, version }: LiveResidency, task: Task): number {
  let ahead = 0
  for (const other of worker.tasks)
    if (other !== task && other.version === version && other.state === 'admitted' && goesBefore(other, task)) ahead += 1
  return ahead
}

function goesBefore(a: Task, b: Task): boolean {
  return a.job.class === b.job.class ? compareTurns(a, b) < 0 : a.job.class === 'interactive'
}
