/** Which versions are to be loaded, why, and who goes first. */
import type { DecisionReason } from '../explain/decisions.ts'
import type { DeviceId, Millis } from '../ids.ts'
import { admissionLimit, backlogOf, isLive, type SchedulerState, type Task, type Version } from '../state.ts'
import type { Turn } from '../turn.ts'

export interface Want {
  /** Lower goes first: interactive jobs, then what somebody asked for, then batch jobs, further copies, and what was resident before. */
  readonly rank: number
  readonly reason: Extract<DecisionReason, 'jobs_wait' | 'asked_for' | 'queue_too_long' | 'was_resident'>
  /** Null = wherever it fits best. */
  readonly deviceId: DeviceId | null
}

const rankOwed = 0
const rankInteractive = 1
const rankRequest = 2
const rankBatch = 3
const rankReplica = 4
const rankRewarm = 5

export function wantOf(state: SchedulerState, version: Version): Want | null {
  if (version.standing !== 'current') return null
  const isLoaded = version.residencies.some(isLive)
  const backlog = backlogOf(version)
  if (!isLoaded && backlog > 0) {
    const rank = version.isOwedRoom ? rankOwed : hasInteractive(version) ? rankInteractive : rankBatch
    return { rank, reason: 'jobs_wait', deviceId: null }
  }
  if (version.requests.length > 0)
    return { rank: rankRequest, reason: 'asked_for', deviceId: version.requests[0] ?? null }
  if (backlog > admissionLimit(state, version) && state.devices.size > version.residencies.length)
    return { rank: rankReplica, reason: 'queue_too_long', deviceId: null }
  if (!isLoaded && version.rewarm) return { rank: rankRewarm, reason: 'was_resident', deviceId: null }
  return null
}

/** Keeps `wanted` in step with what has changed about the version. */
export function noteWant(turn: Turn, version: Version): void {
  const { state } = turn
  const want = wantOf(state, version)
  if (!want) {
    if (state.wanted.delete(version)) turn.staffingDue = true
    version.wantedSince = null
    version.shortSince = null
    version.isOwedRoom = false
  } else if (!state.wanted.has(version)) {
    state.wanted.add(version)
    version.wantedSince = turn.now
    turn.placementDue = true
  }
}

export function byUrgency(state: SchedulerState): { version: Version; want: Want }[] {
  const wanted: { version: Version; want: Want; since: Millis; order: number }[] = []
  for (const version of state.wanted) {
    const want = wantOf(state, version)
    if (want) wanted.push({ version, want, since: version.wantedSince ?? 0, order: firstOrder(version) })
  }
  return wanted.sort((a, b) => a.want.rank - b.want.rank || a.order - b.order || a.since - b.since)
}

export function hasInteractive(version: Version): boolean {
  if (version.lanes.interactive.size > 0) return true
  for (const { job } of version.suspects) if (job.class === 'interactive') return true
  return false
}

function firstOrder(version: Version): number {
  const { lanes, suspects } = version
  const heads: (Task | undefined)[] = [
    suspects.first(),
    hasInteractive(version) ? lanes.interactive.first() : lanes.batch.first(),
  ]
  return Math.min(...heads.map((task) => task?.order ?? Number.POSITIVE_INFINITY))
}
