/** When a waiting job will probably start, from learnt times only; null rather than a guess. */
import { isOpen } from '../admission/admission.ts'
import { lanesOf } from '../admission/lanes.ts'
import { batchLimitAt } from '../batching/step-policy.ts'
import type { Millis } from '../ids.ts'
import { serviceMsOf } from '../learning/learning.ts'
import { offersFor } from '../placement/placement.ts'
import { boundWants, type Want, wantOf } from '../placement/wants.ts'
import { compareTurns } from '../queues/ordered-queue.ts'
import {
  type Device,
  deviceOf,
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
  if (!task || task.state === 'suspect' || isInLine(task)) return null
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
  const isOnItsWay = placesOf(task).some(isLoading)
  const readyAt = isOnItsWay ? loadedAt(version, now, job.boundTo) : loadableAt(state, version, now, job.boundTo)
  return readyAt === null ? null : startAfter(version, readyAt, tasksAhead(task) - version.spec.batchLimit, 1)
}

/** Other models are first in line on the device that serves its job in order: how long their loads take together is nobody's guess. */
function isInLine({ job, version, residency }: Task): boolean {
  const first = residency || job.home ? undefined : job.boundTo?.line?.first()
  return first !== undefined && first.version !== version
}

/** Where it is, or may be admitted. */
function placesOf({ residency, job, version }: Task): readonly LiveResidency[] {
  const only = residency ?? job.home
  if (only) return [only]
  const { boundTo } = job
  return boundTo ? version.residencies.filter((place) => deviceOf(place) === boundTo) : version.residencies
}

/** Tasks of the version that have not started and go first, here or at its worker. */
export function tasksAhead(task: Task): number {
  const { version, residency, job } = task
  const places = placesOf(task)
  const atWorkers = places.reduce((sum, place) => sum + unstartedAhead(place, task), 0)
  if (residency) return atWorkers
  if (task.state === 'suspect') return atWorkers + version.suspects.rank(task)
  const shared = job.boundTo && !job.home ? lanesOf(job) : version.lanes
  const inLanes = places.reduce((sum, { lanes }) => sum + waitingAhead(lanes, task), waitingAhead(shared, task))
  return atWorkers + version.suspects.size + inLanes
}

function waitingAhead({ interactive, batch }: Lanes, task: Task): number {
  return task.job.class === 'interactive' ? interactive.rank(task) : interactive.size + batch.rank(task)
}

/** When the load in flight ends; null if none is, nothing is learnt, or it takes longer than ever before. */
export function loadedAt(version: Version, now: Millis, device: Device | null): Millis | null {
  const loading = version.residencies.find((each) => isLoading(each) && (device === null || deviceOf(each) === device))
  if (!loading || version.learnt.loadMs === null) return null
  const at = loading.loadStartedAt + version.learnt.loadMs
  return at < now ? null : Math.round(at)
}

export function isLoading(residency: LiveResidency): boolean {
  return residency.state === 'loading' && isLive(residency)
}

/** When it would be there if its load began as soon as its best device can take it; null if it has never been loaded, or has to wait for others to go. */
function loadableAt(state: SchedulerState, version: Version, now: Millis, device: Device | null): Millis | null {
  const isUnknown = version.learnt.loadMs === null || now < version.notBefore
  const want = isUnknown ? null : wantFor(state, version, now, device)
  const [best] = want ? offersFor(state, version, want, now) : []
  if (!best?.completion || best.isHeldBack || best.device.claim !== null) return null
  return Math.round(now + best.completion.waitMs + best.completion.loadMs)
}

/** Why it is to be loaded: on the device that a job is bound to, or anywhere. */
export function wantFor(state: SchedulerState, version: Version, now: Millis, device: Device | null): Want | null {
  if (!device) return wantOf(state, version, now)
  return boundWants(version).find(({ deviceId }) => deviceId === device.spec.deviceId) ?? null
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
