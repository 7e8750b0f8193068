/**
 * Who shares what there is: users, and within each the sessions. What waits of one session is a flow; jobs of one flow never overtake each other. All
 * positions are virtual time: milliseconds of measured work, stretched by how small a part of its user's share the flow has.
 */
import type { Millis, SessionId, UserId } from '../ids.ts'
import { OrderedQueue } from '../queues/ordered-queue.ts'
import type { Job } from '../state.ts'

/** Of one class. */
export interface Fairness {
  /** The latest turn that has been given: nobody who comes begins before it, so that idle flows earn no credit. */
  reached: number
  /** Flows that have jobs. */
  active: number
  /** Flows that are remembered. */
  size: number
  /** Those without jobs are forgotten when there are more. */
  sweepAt: number
  readonly users: Map<UserId | null, UserShare>
}

export interface UserShare {
  readonly userId: UserId | null
  /** How far it has been served, with the next job of each session: a new session of it begins no sooner. */
  position: number
  /** Of its sessions that have jobs. */
  activeWeight: number
  readonly flows: Map<SessionId | null, Flow>
}

export interface Flow {
  readonly user: UserShare
  readonly sessionId: SessionId | null
  weight: number
  /** Jobs that have not ended. */
  jobs: number
  /** Where the next job that comes has its turn. */
  nextStart: number
  /** Those that have not been admitted yet, and what they are expected to cost. */
  readonly waiting: OrderedQueue<Job>
  waitingMs: number
  /** What its jobs measure of what jobs like them usually do. */
  scale: number
  /** By which costs were stretched when those that wait were given their turns. */
  stretch: number
  /** Measured beyond what was expected, stretched, that the turns of those that wait do not show yet. */
  drift: number
}

/** What a job has of its flow. */
export interface JobShare {
  readonly flow: Flow
  start: number
  expectedMs: number
  measuredMs: number
  /** It counts in its user's position. */
  isCounted: boolean
  /** When its deadline is near; null = it has none. */
  readonly hurryAt: Millis | null
  /** It has been admitted, and keeps its turn whatever becomes of it. */
  isServed: boolean
  /** Its deadline is near, and it goes as far ahead as its user's share allows. */
  isUrgent: boolean
}

const sweepAtLeast = 64

export function createFairness(): Fairness {
  return { reached: 0, active: 0, size: 0, sweepAt: sweepAtLeast, users: new Map() }
}

export function flowOf(fairness: Fairness, userId: UserId | null, sessionId: SessionId | null): Flow {
  let user = fairness.users.get(userId)
  if (!user) {
    user = { userId, position: 0, activeWeight: 0, flows: new Map() }
    fairness.users.set(userId, user)
  }
  let flow = user.flows.get(sessionId)
  if (!flow) {
    flow = createFlow(user, sessionId)
    user.flows.set(sessionId, flow)
    fairness.size += 1
  }
  return flow
}

/** One that nobody shares in. */
export function createFlow(user: UserShare, sessionId: SessionId | null): Flow {
  return {
    user,
    sessionId,
    weight: 1,
    jobs: 0,
    nextStart: 0,
    waiting: new OrderedQueue(),
    waitingMs: 0,
    scale: 1,
    stretch: 1,
    drift: 0,
  }
}

export function enterFlow(fairness: Fairness, flow: Flow, weight: number): void {
  const { user } = flow
  if (flow.jobs === 0) fairness.active += 1
  else user.activeWeight -= flow.weight
  flow.weight = weight
  flow.jobs += 1
  user.activeWeight += weight
}

export function leaveFlow(fairness: Fairness, flow: Flow): void {
  const { user } = flow
  flow.jobs -= 1
  if (flow.jobs > 0) return
  fairness.active -= 1
  user.activeWeight -= flow.weight
  if (fairness.active === 0) forgetAll(fairness)
  else if (fairness.size > fairness.sweepAt) sweep(fairness)
}

/** Nobody waits or runs: whatever anybody had, nobody missed it. */
function forgetAll(fairness: Fairness): void {
  fairness.users.clear()
  fairness.size = 0
}

/** What a flow has beyond its share is remembered until others have caught up. */
function sweep(fairness: Fairness): void {
  for (const [userId, user] of fairness.users) {
    for (const [sessionId, { jobs, nextStart }] of user.flows) {
      if (jobs > 0 || nextStart > fairness.reached) continue
      user.flows.delete(sessionId)
      fairness.size -= 1
    }
    if (user.flows.size === 0 && user.position <= fairness.reached) fairness.users.delete(userId)
  }
  fairness.sweepAt = Math.max(sweepAtLeast, 2 * fairness.size)
}

/** By how much its costs count: who has half of its user's weight, twice. */
export function stretchOf({ user, weight }: Flow): number {
  return Math.max(1, user.activeWeight / weight)
}
