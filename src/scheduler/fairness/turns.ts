/**
 * Whose turn it is: start-time fair queueing (Goyal, Vin and Cheng, 1997) over users and their sessions, on expected work that is set right by measured
 * work. A job's turn is the virtual time at which its flow has had its share up to it: a newcomer of a light user goes before the backlog of a heavy
 * one, nobody is overtaken for long, and whoever is alone is served first come, first served.
 */
import type { JobSpec } from '../events.ts'
import { blend } from '../learning/blend.ts'
import type { Job, SchedulerState, Version } from '../state.ts'
import type { Turn } from '../turn.ts'
import { expectedMsOf, learnWork } from './expected-work.ts'
import { enterFlow, type Fairness, type Flow, flowOf, type JobShare, leaveFlow, stretchOf } from './flows.ts'
import { correctIfDue, moveTo } from './retaking.ts'

/** What a job that comes has of its flow; its turn is behind everything that its flow has already. */
export function takeShare(state: SchedulerState, version: Version, spec: JobSpec): JobShare {
  const fairness = state.fairness[spec.class]
  const flow = flowOf(fairness, spec.userId, spec.sessionId)
  enterFlow(fairness, flow, spec.weight)
  const expectedMs = flow.scale * expectedMsOf(state, version, spec.work)
  const start = Math.max(fairness.reached, flow.user.position, flow.nextStart)
  flow.stretch = stretchOf(flow)
  flow.nextStart = start + expectedMs * flow.stretch
  const hurryAt = spec.deadlineAt === null ? null : spec.deadlineAt - state.settings.deadlineLeadMs - 2 * expectedMs
  return { flow, start, expectedMs, measuredMs: 0, hurryAt, isCounted: false, isServed: false, isUrgent: false }
}

/** It waits, and has had nothing yet. */
export function joinFlow({ fairness, approaching }: SchedulerState, job: Job): void {
  const { share } = job
  if (share.flow.waiting.size === 0) countIn(fairness[job.class], share)
  share.flow.waiting.add(job)
  share.flow.waitingMs += share.expectedMs
  if (share.hurryAt !== null) approaching.add(job)
}

/** The first of its tasks is admitted: from here on it keeps its turn, whatever becomes of it. */
export function noteServed(turn: Turn, job: Job): void {
  const { share } = job
  const { flow, start } = share
  if (share.isServed) return
  const fairness = turn.state.fairness[job.class]
  share.isServed = true
  stopWaiting(flow, job)
  countIn(fairness, share)
  fairness.reached = Math.max(fairness.reached, start)
  correctIfDue(turn, fairness, flow)
}

/** The job has ended: what it has really had is set right where its flow stands. */
export function settleShare(turn: Turn, job: Job, isSuccess: boolean): void {
  const { share, class: priorityClass } = job
  const { flow, expectedMs, measuredMs, isServed, isCounted } = share
  const { state } = turn
  const fairness = state.fairness[priorityClass]
  if (isSuccess) {
    flow.scale = scaleAfter(flow, measuredMs / expectedMsOf(state, job.version, job.work))
    learnWork(state, job.version, job.work, measuredMs)
  }
  if (!isServed) stopWaiting(flow, job)
  const isAlone = fairness.active === 1
  leaveFlow(fairness, flow)
  // Who is alone takes nothing from anybody.
  if (isAlone) return
  const errorMs = measuredMs - expectedMs
  if (isCounted) flow.user.position += errorMs
  flow.drift += errorMs * flow.stretch
  correctIfDue(turn, fairness, flow)
}

/** Its deadline is near: it goes before others of its user, as far as that user's share allows. */
export function hurry(turn: Turn, job: Job): void {
  const { share } = job
  share.isUrgent = true
  if (share.isServed) return
  const fairness = turn.state.fairness[job.class]
  const start = Math.max(fairness.reached, share.flow.user.position)
  if (start >= share.start) return
  moveTo(turn, job, start)
  countIn(fairness, share)
}

function stopWaiting(flow: Flow, job: Job): void {
  flow.waiting.remove(job)
  flow.waitingMs = flow.waiting.size === 0 ? 0 : flow.waitingMs - job.share.expectedMs
}

function countIn(fairness: Fairness, share: JobShare): void {
  const { user } = share.flow
  if (share.isCounted) return
  share.isCounted = true
  user.position = Math.max(user.position, fairness.reached) + share.expectedMs
}

const scaleRate = 0.1
const scaleMax = 16

function scaleAfter({ scale }: Flow, measured: number): number {
  return blend(scale, Math.min(scaleMax, Math.max(1 / scaleMax, measured)), scaleRate)
}
