/**
 * Turns given anew: what waits of a flow moves when the work of the flow turned out to be another than expected, or when its user has more or fewer sessions than
 * when the turns were given. Only so many can move at once; of a longer backlog those that come are right from the start.
 */
import { reorder } from '../admission/lanes.ts'
import type { Job, SchedulerState } from '../state.ts'
import type { Turn } from '../turn.ts'
import { expectedMsOf } from './expected-work.ts'
import { type Fairness, type Flow, stretchOf } from './flows.ts'

/** Moved at once at most. */
const movedMax = 4096
/**
 * Errors smaller than this part of what waits are not worth moving it; of a long backlog that counts so much that every job moves others about so many times.
 */
const tolerance = 0.25
const movedAtLeast = 8
const movesPerJob = 16
/** Turns are whole numbers: so many to a millisecond. */
const turnsPerMs = 16

/** Of a job with this arrival that is to begin at this virtual time. */
export function turnAt({ settings }: SchedulerState, start: number, arrival: number): number {
  return settings.queueOrder === 'arrival' ? arrival : 1 + Math.floor(start * turnsPerMs)
}

export function correctIfDue(turn: Turn, fairness: Fairness, flow: Flow): void {
  const { waiting } = flow
  if (waiting.size === 0) {
    flow.nextStart = Math.max(fairness.reached, flow.nextStart + flow.drift)
    flow.drift = 0
  } else if (waiting.size <= movedMax && fairness.active > 1 && isWrong(turn.state, flow)) {
    takeAnew(turn, fairness, flow)
  }
}

function isWrong(state: SchedulerState, flow: Flow): boolean {
  const { waiting, waitingMs } = flow
  const weighed = Math.min(1, Math.max(movedAtLeast, waiting.size / movesPerJob) / waiting.size)
  if (Math.abs(flow.drift) > tolerance * weighed * waitingMs * flow.stretch) return true
  const next = waiting.first()
  const expectedMs = next ? flow.scale * expectedMsOf(state, next.version, next.work) : 0
  return (
    factor(stretchOf(flow), flow.stretch) > 1 + tolerance ||
    factor(expectedMs, next?.share.expectedMs ?? 0) > 1 + 2 * tolerance
  )
}

function factor(a: number, b: number): number {
  return Math.max(a / b, b / a)
}

/** In the order in which they came, from where the first of them stands now. */
function takeAnew(turn: Turn, fairness: Fairness, flow: Flow): void {
  const jobs = flow.waiting.take(flow.waiting.size)
  flow.stretch = stretchOf(flow)
  let start = Math.max(fairness.reached, Number(jobs[0]?.share.start) + flow.drift)
  flow.drift = 0
  flow.waitingMs = 0
  for (const job of jobs) {
    const { share, version, work } = job
    share.expectedMs = flow.scale * expectedMsOf(turn.state, version, work)
    flow.waitingMs += share.expectedMs
    if (!share.isUrgent) moveTo(turn, job, start)
    start += share.expectedMs * flow.stretch
  }
  flow.nextStart = start
}

/** Wherever it waits. */
export function moveTo(turn: Turn, job: Job, start: number): void {
  const { share } = job
  const order = turnAt(turn.state, start, job.arrival)
  share.start = start
  if (order === job.order) return
  share.flow.waiting.remove(job)
  reorder(turn, job, order)
  share.flow.waiting.add(job)
}
