/** Which versions are to be loaded, why, and who goes first. */

import { boundLanesOf } from '../admission/lanes.ts'
import { isHintOpen } from '../demand/hints.ts'
import type { PriorityClass } from '../events.ts'
import type { DecisionReason } from '../explain/decisions.ts'
import type { DeviceId, Millis } from '../ids.ts'
import { unmetPin } from '../pins/pins.ts'
import { backlogOf, type Device, isLive, type Lanes, type SchedulerState, type Task, type Version } from '../state.ts'
import type { Turn } from '../turn.ts'
import { devicesWanting } from './binding.ts'
import { dropClaim } from './claims.ts'
import { beginOvertaking, isOvertaken } from './overtaking.ts'
import { rebindStranded } from './rebinding.ts'
import { isCrowded } from './replicas.ts'
import { tryAgainAt } from './retries.ts'

export interface Want {
  /** Lower goes first: interactive jobs, then what somebody asked for, then batch jobs, further copies, and what was resident before. */
  readonly rank: number
  readonly reason: Extract<
    DecisionReason,
    'jobs_wait' | 'asked_for' | 'pinned' | 'hinted' | 'queue_too_long' | 'was_resident' | 'faster_elsewhere'
  >
  /** Null = wherever it fits best. */
  readonly deviceId: DeviceId | null
  /** The jobs are bound to that device, and wait there. */
  readonly bound: Lanes | null
}

const rankOwed = 0
const rankInteractive = 1
const rankRequest = 2
const rankBatch = 3
const rankHint = 4
const rankReplica = 5
const rankRewarm = 6

/** Somebody is about to ask for it. */
export const hintWant: Want = { rank: rankHint, reason: 'hinted', deviceId: null, bound: null }

export function wantOf(state: SchedulerState, version: Version, now: Millis): Want | null {
  if (version.standing !== 'current') return null
  const isLoaded = version.residencies.some(isLive)
  if (!isLoaded && backlogOf(version) > 0) {
    const rank =
      version.isOwedRoom || isOvertaken(state, version)
        ? rankOwed
        : hasInteractive(version) || isAged(state, version, now)
          ? rankInteractive
          : rankBatch
    return { rank, reason: 'jobs_wait', deviceId: null, bound: null }
  }
  const [boundWant] = boundWants(version)
  if (boundWant) return boundWant
  if (version.requests.length > 0)
    return { rank: rankRequest, reason: 'asked_for', deviceId: nextRequest(state, version), bound: null }
  const pin = unmetPin(version)
  if (pin !== undefined) return { rank: rankRequest, reason: 'pinned', deviceId: pin, bound: null }
  if (isHintOpen(version)) return hintWant
  const move = migrationWant(version)
  if (move) return move
  if (isCrowded(state, version)) return { rank: rankReplica, reason: 'queue_too_long', deviceId: null, bound: null }
  if (!isLoaded && version.rewarm) return { rank: rankRewarm, reason: 'was_resident', deviceId: null, bound: null }
  return null
}

/** One for a device that is lost waits for its return, and lets others go ahead. */
function nextRequest({ devices }: SchedulerState, { requests }: Version): DeviceId | null {
  const isPossible = (deviceId: DeviceId | null) => deviceId === null || devices.get(deviceId)?.isLost !== true
  return requests[Math.max(0, requests.findIndex(isPossible))] ?? null
}

/** Nothing moves from where nothing is, or to where nothing can be. */
function dropMoveIfVain(version: Version): void {
  const { migration, residencies } = version
  const isThere = migration && residencies.some((each) => isLive(each) && each.worker.slot.device === migration.from)
  if (migration && (!isThere || migration.to.isLost)) version.migration = null
}

/** The copy is not there yet. */
function migrationWant({ migration, residencies }: Version): Want | null {
  if (!migration || residencies.some((each) => isLive(each) && each.worker.slot.device === migration.to)) return null
  return { rank: rankReplica, reason: 'faster_elsewhere', deviceId: migration.to.spec.deviceId, bound: null }
}

/** One for each device where jobs that are bound to it wait for the version. */
export function boundWants(version: Version): Want[] {
  return devicesWanting(version).map((device) => {
    const { lanes } = boundLanesOf(version, device)
    const rank = classOfLanes(device, lanes) === 'interactive' ? rankInteractive : rankBatch
    return { rank, reason: 'jobs_wait', deviceId: device.spec.deviceId, bound: lanes }
  })
}

/** Keeps `wanted` in step with what has changed about the version. */
export function noteWant(turn: Turn, version: Version): void {
  const { state } = turn
  dropMoveIfVain(version)
  rebindStranded(turn, version)
  const want = wantOf(state, version, turn.now)
  if (!want) {
    // Also when its load has begun: if that fails, others are counted from then on.
    version.servedAtWant = null
    if (!state.wanted.delete(version)) return
    turn.staffingDue = true
    version.wantedSince = null
    version.shortSince = null
    version.isOwedRoom = false
    dropClaim(turn, version)
  } else {
    version.wantedSince ??= turn.now
    if (isElsewhere(version, want)) dropClaim(turn, version)
    // A time that is past would be asked for again and again.
    const agesAt = version.wantedSince + state.settings.batchAgeingMs
    if (want.rank === rankBatch && agesAt > turn.now) tryAgainAt(state, version, agesAt)
    if (want.reason === 'jobs_wait' && !want.bound) beginOvertaking(state, version)
    else version.servedAtWant = null
    const isNews = state.wanted.put(version, { rank: want.rank, order: firstOrder(version) })
    if (isNews || want.rank === rankReplica) turn.unplaced.add(version)
  }
}

/** It is to be next on a device for the sake of a wish that others have taken the place of. */
function isElsewhere({ claimed }: Version, { bound, deviceId }: Want): boolean {
  return claimed !== null && (bound !== null || (deviceId !== null && deviceId !== claimed.spec.deviceId))
}

/** Of the work that it is wanted for. */
export function classOfWant(version: Version, want: Want): PriorityClass {
  if (want.bound) return want.rank === rankBatch ? 'batch' : 'interactive'
  return isWish(want) || hasInteractive(version) ? 'interactive' : 'batch'
}

/** Somebody has said that it is to be there. */
function isWish({ reason }: Want): boolean {
  return reason === 'asked_for' || reason === 'pinned' || reason === 'hinted'
}

/** Batch work has waited for it so long that it is to have its turn: interactive work of others could fill the devices for ever. */
function isAged({ settings }: SchedulerState, { wantedSince }: Version, now: Millis): boolean {
  return wantedSince !== null && now >= wantedSince + settings.batchAgeingMs
}

export function hasInteractive(version: Version): boolean {
  if (version.lanes.interactive.size > 0) return true
  for (const { job } of version.suspects) if (job.class === 'interactive') return true
  return false
}

/** Further copies and copies of the past come only where there is room, or what would have to go is worth less. */
export function isPatient({ reason }: Want): boolean {
  return (
    reason === 'queue_too_long' || reason === 'faster_elsewhere' || reason === 'was_resident' || reason === 'hinted'
  )
}

function classOfLanes({ line }: Device, { interactive }: Lanes): PriorityClass {
  return line?.first()?.job.class ?? (interactive.size > 0 ? 'interactive' : 'batch')
}

function firstOrder(version: Version): number {
  const { lanes, suspects } = version
  const heads: (Task | undefined)[] = [
    suspects.first(),
    hasInteractive(version) ? lanes.interactive.first() : lanes.batch.first(),
  ]
  for (const { lanes: each } of version.bound.values()) heads.push(each.interactive.first() ?? each.batch.first())
  return Math.min(...heads.map((task) => task?.order ?? Number.MAX_VALUE))
}
