/**
 * Where a version is loaded, and when: on the device where a job of it would be done first, what is lost with evicted models counted in. Nothing is looked
 * at twice without need: a version that has become wanted looks for a device among the candidates, and a device where something has ended is offered
 * to the versions that are most urgent. A load that has to wait claims its device.
 */

import { dropHint, isHintWorth } from '../demand/hints.ts'
import { askToYield, makeRoom } from '../eviction/eviction.ts'
import { nextHoldEnd } from '../eviction/holds.ts'
import { missingBytes, type Need } from '../eviction/victims.ts'
import type { Score } from '../explain/decisions.ts'
import { isReservedFrom } from '../fairness/reserved.ts'
import type { Millis } from '../ids.ts'
import { usualExecMs, usualLoadMs } from '../learning/times.ts'
import { bytesOf } from '../memory/footprint.ts'
import { availableBytes } from '../memory/ledger.ts'
import { failWaitingJobs } from '../memory/load-failures.ts'
import { startLoad } from '../memory/loading.ts'
import { dropPin } from '../pins/pins.ts'
import { preemptBatch, preemptSurplus } from '../preemption/preemption.ts'
import { refusesLoads } from '../pressure/pressure.ts'
import { type Device, isLive, type SchedulerState, type Slot, type Version } from '../state.ts'
import { decided, type Turn } from '../turn.ts'
import { engineBytes, staff } from '../workers/workers.ts'
import { isBindingEarly } from './binding.ts'
import { areFew, candidatesFor } from './candidates.ts'
import { claim, displace, isOpenTo } from './claims.ts'
import { type Completion, completionAt, scoreOf } from './completion.ts'
import { isHoldable } from './misfit.ts'
import { isOvertaken } from './overtaking.ts'
import { rebindFrom } from './rebinding.ts'
import { isCopyWorthwhile, isToBeWeighed } from './replicas.ts'
import { tryAgainAt } from './retries.ts'
import { isMoreUrgent } from './wanted-list.ts'
import { boundWants, classOfWant, hasInteractive, isPatient, type Want, wantOf } from './wants.ts'

export interface Offer {
  readonly device: Device
  readonly need: Need
  readonly missingBytes: number
  /** It fits, or would if everything went that is not in use. */
  readonly isPossible: boolean
  /** Its engine has died there too often to be started again right now. */
  readonly isHeldBack: boolean
  /** Null where it is not possible. */
  readonly completion: Completion | null
  readonly startSteps: number
  readonly score: Score
}

/** Versions that a device is offered to, most urgent first, when something has ended there. */
const offeredMax = 8
/** Until the engine of a device is ready, for each step on the way: a process that starts, and one that has to be started first. */
const startStepMs = 1000

export function isPlacementDue({ placementDue, unplaced, freed }: Turn): boolean {
  return placementDue || unplaced.size > 0 || freed.size > 0
}

/** Begins loads that can begin now, most urgent first. */
export function placeWanted(turn: Turn): void {
  const { state, unplaced, freed } = turn
  const versions = turn.placementDue ? state.wanted.first(offeredMax) : []
  for (const version of unplaced) if (state.wanted.has(version) && !versions.includes(version)) versions.push(version)
  const devices = [...freed]
  turn.placementDue = false
  unplaced.clear()
  freed.clear()
  if (state.draining || state.wanted.size === 0) return
  for (const version of versions.sort(byUrgency)) place(turn, version, false, null)
  for (const device of devices) fill(turn, device)
}

function byUrgency(a: Version, b: Version): number {
  return isMoreUrgent(a, b) ? -1 : 1
}

/** Something has ended on the device. */
function fill(turn: Turn, device: Device): void {
  if (device.loading || device.isLost) return
  const { state } = turn
  const versions = isBindingEarly(state) ? [...state.wanted] : state.wanted.first(offeredMax)
  // Among many devices it is enough to look at this one: whoever is wanted has looked at others already.
  const only = areFew(state) ? null : device
  for (const version of versions) {
    if (only && version.claimed && version.claimed !== only) continue
    place(turn, version, true, only)
    if (device.loading) return
  }
}

/** `isFreed`: because something has ended somewhere, so that a wish for a copy may have become worthwhile. */
function place(turn: Turn, version: Version, isFreed: boolean, only: Device | null): void {
  const want = wantOf(turn.state, version, turn.now)
  if (!want) return
  for (const each of want.bound ? boundWants(version) : [want]) placeFor(turn, version, each, isFreed, only)
}

function placeFor(turn: Turn, version: Version, want: Want, isFreed: boolean, only: Device | null): void {
  const { state, now } = turn
  if (want.reason === 'queue_too_long') {
    if (!isFreed && !isToBeWeighed(state, version, now)) return
    version.weighedAt = now
  }
  if (!isHoldable(state, version, want.deviceId)) return refuse(turn, version, want)
  if (now < version.notBefore) return tryAgainAt(state, version, version.notBefore)
  const offers = offersFor(state, version, want, now, state, only).filter(
    ({ device, need }) =>
      !refusesLoads(device, need.class) &&
      !isReservedFrom(state, device, need.class) &&
      isOpenTo(state, device, version, need, (other) => needOn(state, other, device, null, now)),
  )
  const [best] = offers
  if (!best) return
  if (want.reason === 'queue_too_long' && !(best.completion && isCopyWorthwhile(state, version, best.completion)))
    return
  if (want.reason === 'hinted' && !isHintWorth(state, version, best.completion?.evictedMs ?? Number.POSITIVE_INFINITY))
    return
  if (best.isHeldBack) return tryAgainAt(state, version, best.device.slots.get(version.spec.engine)?.notBefore ?? now)
  // It is worth waiting until the load that is under way there has ended.
  if (best.device.loading) return
  if (best.missingBytes === 0) return begin(turn, version, want, best, offers)
  const isMade = best.isPossible
    ? (!isPatient(want) && preemptSurplus(turn, best.device, best.need)) || makeRoom(turn, best.device, best.need)
    : !isPatient(want) && makeBusyYield(turn, version, best)
  if (isMade && !want.bound) claim(turn, version, best.device)
}

function begin(turn: Turn, version: Version, want: Want, { device }: Offer, offers: readonly Offer[]): void {
  version.shortSince = null
  const worker = staff(turn, device, version.spec.engine)
  if (worker?.state !== 'ready' || worker.alone || worker.isSuspected)
    return want.bound ? undefined : claim(turn, version, device)
  const scores = offers.map(({ score }) => score)
  settle(turn, version, device)
  startLoad(turn, version, worker, want.reason, scores)
}

function refuse(turn: Turn, version: Version, { reason, deviceId, bound }: Want): void {
  const device = deviceId === null ? undefined : turn.state.devices.get(deviceId)
  if (bound && device) return rebindFrom(turn, device, version)
  if (reason === 'pinned') return dropPin(turn, version, deviceId)
  if (reason === 'hinted') return dropHint(turn, version)
  if (reason === 'faster_elsewhere') {
    version.migration = null
    turn.touched.add(version)
    return
  }
  if (reason !== 'asked_for') return failWaitingJobs(turn, version, 'OUT_OF_MEMORY', false)
  version.requests = version.requests.filter((wish) => wish !== deviceId)
  turn.touched.add(version)
  decided(turn, { kind: 'REFUSE', reason: 'too_large', versionId: version.spec.versionId, deviceId })
}

/** Devices that could take the version, best first; `only`: nowhere else. Where they are drawn, whoever only asks draws from a copy. */
export function offersFor(
  state: SchedulerState,
  version: Version,
  want: Want,
  now: Millis,
  chance: { random: number } = { random: state.random },
  only: Device | null = null,
): Offer[] {
  const offers: Offer[] = []
  for (const device of candidatesFor(state, version, want, chance, only))
    offers.push(offerOf(state, version, device, want, now))
  return offers.sort(compareOffers)
}

function offerOf(state: SchedulerState, version: Version, device: Device, want: Want, now: Millis): Offer {
  const slot = device.slots.get(version.spec.engine)
  const worker = slot?.primary ?? slot?.spares.find(({ state: life }) => life !== 'stopping')
  const need = needOn(state, version, device, want, now)
  const startSteps = worker?.state === 'ready' ? 0 : worker ? 1 : 2
  const completion = completionAt(state, version, device, need, startSteps * startStepMs, now)
  return {
    device,
    need,
    missingBytes: missingBytes(state, device, need),
    isPossible: completion !== null,
    isHeldBack: slot !== undefined && isHeldBack(slot, now),
    completion,
    startSteps,
    score: scoreOf(device, version, completion),
  }
}

/** `want` null: whatever it is wanted for. */
function needOn(state: SchedulerState, version: Version, device: Device, want: Want | null, now: Millis): Need {
  const { engine } = version.spec
  const slot = device.slots.get(engine)
  const hasWorker =
    slot !== undefined && (slot.primary !== null || slot.spares.some(({ state: life }) => life !== 'stopping'))
  const { weightsBytes, workingBytes } = bytesOf(version)
  return {
    versionId: version.spec.versionId,
    engine,
    weightsBytes,
    totalBytes: weightsBytes + workingBytes + (hasWorker ? 0 : engineBytes(state, engine)),
    class: want ? classOfWant(version, want) : 'batch',
    // Where order is kept, whoever is first in line waits for nobody.
    isOverdue: device.line !== null || isOverdue(state, version, want, now),
  }
}

/** Also a spare waits while the circuit is open. */
function isHeldBack(slot: Slot, now: Millis): boolean {
  if (slot.primary || now >= slot.notBefore) return false
  return slot.circuit !== 'closed' || slot.spares.every(({ state }) => state === 'stopping')
}

function compareOffers(a: Offer, b: Offer): number {
  return (
    rankOf(a) - rankOf(b) ||
    (a.completion?.totalMs ?? 0) - (b.completion?.totalMs ?? 0) ||
    a.missingBytes - b.missingBytes ||
    a.startSteps - b.startSteps ||
    a.device.admitted / a.device.spec.coreCount - b.device.admitted / b.device.spec.coreCount ||
    availableBytes(b.device) - availableBytes(a.device) ||
    a.device.spec.deviceId - b.device.spec.deviceId
  )
}

function rankOf({ isPossible, isHeldBack }: Offer): number {
  if (!isPossible) return 2
  return isHeldBack ? 1 : 0
}

/** Models with work hold the memory. After a while one of them is asked to go, and this version is first in line for what becomes free. */
function makeBusyYield(turn: Turn, version: Version, best: Offer): boolean {
  const { state, now } = turn
  if (preemptBatch(turn, best.device, best.need)) return true
  version.shortSince ??= now
  const yieldsAt = Math.min(version.shortSince + patienceMs(state, version), slackEndOf(state, version))
  if (now < yieldsAt && !isOvertaken(state, version)) {
    tryAgainAt(state, version, Math.min(yieldsAt, nextHoldEnd(state, best.device, now)))
    return false
  }
  version.isOwedRoom = askToYield(turn, best.device, best.need)
  if (version.isOwedRoom) {
    // It goes before all others from now on.
    turn.touched.add(version)
    return true
  }
  // Nobody could: it asks again after the same time.
  version.shortSince = now
  tryAgainAt(state, version, now + patienceMs(state, version))
  return false
}

/**
 * From now on it takes also what users come back to: interactive work as soon as its patience ends, batch work when it has waited for its turn. A further
 * copy for batch work never does.
 */
function isOverdue(state: SchedulerState, version: Version, want: Want | null, now: Millis): boolean {
  const { requests, residencies, wantedSince, shortSince } = version
  const isCopy = want ? want.reason === 'queue_too_long' : residencies.some(isLive)
  if (requests.length === 0 && !hasInteractive(version))
    return wantedSince !== null && !isCopy && now >= wantedSince + state.settings.batchAgeingMs
  return shortSince !== null && now >= shortSince + patienceMs(state, version)
}

/** How long it waits for memory that others use: what makes room for it has to be loaded again, as it has, so that cheap models take turns sooner. */
function patienceMs(state: SchedulerState, version: Version): number {
  const { yieldAfterMs, yieldAfterLoads } = state.settings
  const priorityClass = version.requests.length > 0 || version.lanes.interactive.size > 0 ? 'interactive' : 'batch'
  return Math.max(yieldAfterMs[priorityClass], yieldAfterLoads[priorityClass] * usualLoadMs(state, version))
}

/** When its first job can just be done before its deadline; it is not too early for one that has none. */
function slackEndOf(state: SchedulerState, version: Version): Millis {
  const job = (version.lanes.interactive.first() ?? version.lanes.batch.first())?.job
  if (!job || job.deadlineAt === null) return Number.POSITIVE_INFINITY
  // What makes room ends its step first; twice the load leaves time for that.
  return job.deadlineAt - 2 * usualLoadMs(state, version) - job.tasksLeft * usualExecMs(state, version)
}

/** The load begins that the version was wanted for. */
function settle(turn: Turn, version: Version, device: Device): void {
  const { deviceId } = device.spec
  version.requests = version.requests.filter((wish) => wish !== null && wish !== deviceId)
  version.rewarm = false
  version.isOwedRoom = false
  version.wantedSince = null
  version.servedAtWant = null
  if (version.claimed) version.claimed.claim = null
  version.claimed = null
  if (device.claim && isMoreUrgent(version, device.claim)) displace(turn, device)
  turn.state.wanted.delete(version)
  turn.staffingDue = true
}
