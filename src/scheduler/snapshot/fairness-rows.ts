/** Shares in a snapshot: users and their flows with the numbers that they have; who waits in a flow is found among the jobs. */
import { createFlow, type Fairness, type Flow, flowOf, type JobShare, type UserShare } from '../fairness/flows.ts'
import type { SessionId, UserId } from '../ids.ts'
import type { Job, SchedulerState } from '../state.ts'

export interface FairnessSnapshot extends Omit<Fairness, 'users'> {
  readonly users: readonly UserSnapshot[]
}
export interface UserSnapshot extends Omit<UserShare, 'flows'> {
  readonly flows: readonly FlowSnapshot[]
}
export interface FlowSnapshot extends Omit<Flow, 'user' | 'waiting'> {
  readonly sessionId: SessionId | null
}
export type ShareSnapshot = Omit<JobShare, 'flow'>

export function fairnessOut({ users, ...facts }: Fairness): FairnessSnapshot {
  return { ...facts, users: [...users.values()].map(userOut) }
}

function userOut({ flows, ...facts }: UserShare): UserSnapshot {
  return { ...facts, flows: [...flows.values()].map(({ user: _user, waiting: _waiting, ...flow }) => flow) }
}

export function shareOut({ flow: _flow, ...share }: JobShare): ShareSnapshot {
  return share
}

export function restoreFairness(fairness: Fairness, { users, ...facts }: FairnessSnapshot): void {
  for (const { flows, ...user } of users) {
    for (const flow of flows) Object.assign(flowOf(fairness, user.userId, flow.sessionId), flow)
    const restored = fairness.users.get(user.userId)
    if (restored) Object.assign(restored, user)
    else fairness.users.set(user.userId, { ...user, flows: new Map() })
  }
  Object.assign(fairness, facts)
}

/** Of a job that has ended, nobody shares in what is left. */
export function restoreShare(
  fairness: Fairness,
  { userId, sessionId }: { readonly userId: UserId | null; readonly sessionId: SessionId | null },
  share: ShareSnapshot,
  isLive: boolean,
): JobShare {
  const flow = isLive
    ? flowOf(fairness, userId, sessionId)
    : createFlow({ userId, position: 0, activeWeight: 0, flows: new Map() }, sessionId)
  return { ...share, flow }
}

export function rejoinFlow({ approaching }: SchedulerState, job: Job): void {
  const { share } = job
  if (share.isServed) return
  share.flow.waiting.add(job)
  if (share.hurryAt !== null && !share.isUrgent) approaching.add(job)
}
