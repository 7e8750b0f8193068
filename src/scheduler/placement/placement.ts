/**
 * Where a version is loaded. A device scores by what would have to go before it fits, then by its load, then by how far its engine is from ready,
 * then by what it has available. A version that is resident is loaded a second time only on an idle device, when its queue is too long for the first.
 */

import { askToYield, canMakeRoom, makeRoom, missingBytes, type Need } from '../eviction/eviction.ts'
import type { Score } from '../explain/decisions.ts'
import type { DeviceId, Millis, VersionId } from '../ids.ts'
import { availableBytes, weightsLimitBytes } from '../memory/ledger.ts'
import { failWaitingJobs } from '../memory/load-failures.ts'
import { bytesOf, startLoad } from '../memory/loading.ts'
import { type Device, isLive, type SchedulerState, type Version } from '../state.ts'
import { decided, setAlarm, type Turn } from '../turn.ts'
import { engineBytes, staff } from '../workers/workers.ts'
import { byUrgency, hasInteractive, type Want } from './wants.ts'

export interface Offer {
  readonly device: Device
  readonly need: Need
  readonly missingBytes: number
  /** It fits, or would if everything went that is not in use. */
  readonly isPossible: boolean
  /** Its engine has died there too often to be started again right now. */
  readonly isHeldBack: boolean
  readonly score: Score
}

/** Begins every load that can begin now, most urgent first. */
export function placeWanted(turn: Turn): void {
  const { state } = turn
  turn.placementDue = false
  if (state.draining || state.wanted.size === 0) return
  const held = new Map<Device, Need>()
  for (const { version, want } of byUrgency(state)) place(turn, version, want, held)
}

/** What a version needs and what the best device could ever give, if none can hold it; null if it fits, is there already, or there is no device yet. */
export function misfit(state: SchedulerState, versionId: VersionId): Shortfall | null {
  const version = state.versions.get(versionId)
  if (!version || version.residencies.some(isLive)) return null
  let best: Shortfall | null = null
  for (const device of state.devices.values()) {
    const here = shortfall(state, version, device)
    if (!here) return null
    if (!best || here.availableBytes > best.availableBytes) best = here
  }
  return best
}

interface Shortfall {
  readonly neededBytes: number
  readonly availableBytes: number
}

/** Against a device that holds nothing else; null if it fits. */
function shortfall(state: SchedulerState, version: Version, device: Device): Shortfall | null {
  const { weightsBytes, workingBytes } = bytesOf(version)
  const totalBytes = weightsBytes + workingBytes + engineBytes(state, version.spec.engine)
  const weightsLimit = weightsLimitBytes(state, device)
  if (weightsBytes > weightsLimit) return { neededBytes: weightsBytes, availableBytes: weightsLimit }
  return totalBytes > device.spec.limitBytes
    ? { neededBytes: totalBytes, availableBytes: device.spec.limitBytes }
    : null
}

/** `held`: what more urgent versions wait to have free on a device; others may only use what is left beside it. */
function place(turn: Turn, version: Version, want: Want, held: Map<Device, Need>): void {
  const { state, now } = turn
  if (!isHoldable(state, version, want.deviceId)) return refuse(turn, version, want)
  if (now < version.notBefore) return
  const offers = offersFor(state, version, want, now).filter(({ device, need }) =>
    fitsBeside(state, device, need, held.get(device)),
  )
  const [best] = offers
  if (!best) return
  if (best.missingBytes === 0) {
    version.shortSince = null
    const worker = staff(turn, best.device, version.spec.engine)
    if (worker?.state === 'ready' && !worker.alone) {
      settle(turn, version, best.device.spec.deviceId)
      startLoad(
        turn,
        version,
        worker,
        want.reason,
        offers.map(({ score }) => score),
      )
    } else {
      held.set(best.device, best.need)
    }
  } else if (
    !isPatient(want) &&
    (best.isPossible ? makeRoom(turn, best.device, best.need) : makeBusyYield(turn, version, best))
  ) {
    held.set(best.device, best.need)
  }
}

function fitsBeside(state: SchedulerState, device: Device, need: Need, held: Need | undefined): boolean {
  if (!held) return true
  const both = {
    engine: need.engine,
    totalBytes: need.totalBytes + held.totalBytes,
    weightsBytes: need.weightsBytes + held.weightsBytes,
  }
  return missingBytes(state, device, both) === 0
}

/** Some device could hold it if it held nothing else. */
function isHoldable(state: SchedulerState, version: Version, deviceId: DeviceId | null): boolean {
  if (deviceId === null) return misfit(state, version.spec.versionId) === null
  const device = state.devices.get(deviceId)
  return device !== undefined && shortfall(state, version, device) === null
}

function refuse(turn: Turn, version: Version, { reason, deviceId }: Want): void {
  if (reason !== 'asked_for') return failWaitingJobs(turn, version, 'OUT_OF_MEMORY', false)
  version.requests = version.requests.filter((wish) => wish !== deviceId)
  turn.touched.add(version)
  decided(turn, { kind: 'REFUSE', reason: 'too_large', versionId: version.spec.versionId, deviceId })
}

/** Further copies and copies of the past come only where there is room. */
function isPatient({ reason }: Want): boolean {
  return reason === 'queue_too_long' || reason === 'was_resident'
}

/** Devices that could take the version next, best first. */
export function offersFor(state: SchedulerState, version: Version, want: Want, now: Millis): Offer[] {
  const offers: Offer[] = []
  for (const device of state.devices.values()) {
    if (want.deviceId !== null && want.deviceId !== device.spec.deviceId) continue
    if (device.loading || version.residencies.some(({ worker }) => worker.slot.device === device)) continue
    if (want.reason === 'queue_too_long' && device.admitted > 0) continue
    offers.push(offerOf(state, version, device, now))
  }
  return offers.sort(compareOffers)
}

function offerOf(state: SchedulerState, version: Version, device: Device, now: Millis): Offer {
  const { engine } = version.spec
  const slot = device.slots.get(engine)
  const worker = slot?.primary ?? slot?.spares.find(({ state: life }) => life !== 'stopping')
  const { weightsBytes, workingBytes } = bytesOf(version)
  const need = {
    engine,
    weightsBytes,
    totalBytes: weightsBytes + workingBytes + (worker ? 0 : engineBytes(state, engine)),
  }
  const missing = missingBytes(state, device, need)
  const startSteps = worker?.state === 'ready' ? 0 : worker ? 1 : 2
  return {
    device,
    need,
    missingBytes: missing,
    isPossible: missing === 0 || canMakeRoom(state, device, need),
    isHeldBack: !worker && slot !== undefined && now < slot.notBefore,
    score: {
      deviceId: device.spec.deviceId,
      versionId: null,
      parts: [missing, device.admitted / device.spec.coreCount, startSteps, availableBytes(device)],
    },
  }
}

function compareOffers(a: Offer, b: Offer): number {
  const [, tasksPerCoreA = 0, startStepsA = 0, availableA = 0] = a.score.parts
  const [, tasksPerCoreB = 0, startStepsB = 0, availableB = 0] = b.score.parts
  return (
    rankOf(a) - rankOf(b) ||
    tasksPerCoreA - tasksPerCoreB ||
    startStepsA - startStepsB ||
    availableB - availableA ||
    a.device.spec.deviceId - b.device.spec.deviceId
  )
}

function rankOf({ missingBytes: missing, isPossible, isHeldBack }: Offer): number {
  if (!isPossible) return 3
  return isHeldBack ? 2 : missing > 0 ? 1 : 0
}

/** Models with work hold the memory. After a while one of them is asked to go, and this version is first in line for what becomes free. */
function makeBusyYield(turn: Turn, version: Version, best: Offer): boolean {
  const { state, now } = turn
  const patienceMs = state.settings.yieldAfterMs[isUrgent(version) ? 'interactive' : 'batch']
  version.shortSince ??= now
  if (now >= version.shortSince + patienceMs) {
    version.isOwedRoom = askToYield(turn, best.device, best.need)
    if (version.isOwedRoom) return true
    // Nobody could: it asks again after the same time.
    version.shortSince = now
  }
  setAlarm(state, version.shortSince + patienceMs)
  return false
}

function isUrgent(version: Version): boolean {
  return hasInteractive(version) || version.requests.length > 0
}

/** The load begins that the version was wanted for. */
function settle(turn: Turn, version: Version, deviceId: DeviceId): void {
  version.requests = version.requests.filter((wish) => wish !== null && wish !== deviceId)
  version.rewarm = false
  version.isOwedRoom = false
  version.wantedSince = null
  turn.state.wanted.delete(version)
  turn.staffingDue = true
}
