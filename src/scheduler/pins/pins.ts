/**
 * Models that somebody wants to stay: on a device, or on any. What is pinned is loaded, is never evicted, and comes back where its worker dies. A pin that
 * could not be kept is refused: what is pinned on a device must fit there together, beside the reserve.
 */
import type { DeviceId, VersionId } from '../ids.ts'
import { weightsLimitBytes } from '../memory/ledger.ts'
import { type Device, deviceOf, isLive, type LiveResidency, type SchedulerState, type Version } from '../state.ts'
import { decided, type Turn } from '../turn.ts'

/** Null = on any device. */
export type Pin = DeviceId | null

export interface PinProblem {
  readonly neededBytes: number
  /** What weights may fill on the device that has most of it left by other pins. */
  readonly availableBytes: number
}

export function takePin(turn: Turn, versionId: VersionId, deviceId: Pin, pinned: boolean): void {
  const { state } = turn
  const version = state.versions.get(versionId)
  if (!version) return
  if (!pinned) {
    endPins(version, deviceId)
  } else if (!version.pins.includes(deviceId)) {
    const problem = pinProblem(state, versionId, deviceId)
    if (problem) {
      const { neededBytes: amount } = problem
      turn.commands.push({ type: 'pinDropped', versionId, deviceId })
      return decided(turn, { kind: 'REJECT_PIN', reason: 'pins_do_not_fit', versionId, deviceId, amount })
    }
    version.pins.push(deviceId)
  }
  turn.touched.add(version)
  turn.placementDue = true
}

/** It turned out that nothing could ever keep it. */
export function dropPin(turn: Turn, version: Version, deviceId: Pin): void {
  const { versionId } = version.spec
  version.pins = version.pins.filter((pin) => pin !== deviceId)
  turn.touched.add(version)
  turn.commands.push({ type: 'pinDropped', versionId, deviceId })
  decided(turn, { kind: 'REJECT_PIN', reason: 'too_large', versionId, deviceId })
}

/** Why the pin could not be kept; null if it could, or is there already. A version that nobody knows needs nothing. */
export function pinProblem(state: SchedulerState, versionId: VersionId, deviceId: Pin): PinProblem | null {
  const version = state.versions.get(versionId)
  if (!version || version.pins.includes(deviceId)) return null
  const neededBytes = weightsOf(version)
  const taken = pinnedBytes(state, version)
  let best = 0
  for (const device of state.devices.values()) {
    if (deviceId !== null && device.spec.deviceId !== deviceId) continue
    const here = weightsLimitBytes(state, device) - (taken.get(device) ?? 0)
    if (here >= neededBytes) return null
    best = Math.max(best, here)
  }
  return { neededBytes, availableBytes: best }
}

/** It is pinned there: on its device, or on any, and it is the first copy that is there. */
export function isPinned(residency: LiveResidency): boolean {
  const { version } = residency
  if (version.pins.length === 0 || !isLive(residency)) return false
  if (version.pins.includes(deviceOf(residency).spec.deviceId)) return true
  return version.pins.includes(null) && version.residencies.find(isLive) === residency
}

/** On one device also the pin that names none, when it is kept there: nothing stays pinned where somebody has unpinned it. */
function endPins(version: Version, deviceId: Pin): void {
  const first = version.residencies.find(isLive)
  const isRoamingThere = first !== undefined && deviceOf(first).spec.deviceId === deviceId
  const isOver = (pin: Pin) => deviceId === null || pin === deviceId || (pin === null && isRoamingThere)
  version.pins = version.pins.filter((pin) => !isOver(pin))
}

/** A pin that nothing on its device keeps yet; undefined = there is none. */
export function unmetPin({ pins, residencies }: Version): Pin | undefined {
  return pins.find(
    (pin) => !residencies.some((each) => isLive(each) && (pin === null || deviceOf(each).spec.deviceId === pin)),
  )
}

/** Weights that are to stay on each device, without those of `except`. Whatever may be anywhere is where it is, or in the first place with room for it. */
function pinnedBytes(state: SchedulerState, except: Version): Map<Device, number> {
  const taken = new Map<Device, number>()
  const take = (device: Device | undefined, bytes: number) => {
    if (device) taken.set(device, (taken.get(device) ?? 0) + bytes)
  }
  const roaming: Version[] = []
  for (const version of state.versions.values()) {
    if (version.pins.length === 0) continue
    for (const pin of version.pins)
      if (pin !== null && version !== except) take(state.devices.get(pin), weightsOf(version))
    if (version.pins.every((pin) => pin === null) && version !== except) roaming.push(version)
  }
  for (const version of roaming) {
    const bytes = weightsOf(version)
    const there = version.residencies.find(isLive)
    const room = [...state.devices.values()].find(
      (device) => weightsLimitBytes(state, device) - (taken.get(device) ?? 0) >= bytes,
    )
    take(there ? deviceOf(there) : room, bytes)
  }
  return taken
}

function weightsOf({ learnt, spec }: Version): number {
  return learnt.weightsBytes ?? spec.weightsBytes
}
