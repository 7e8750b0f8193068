/** What there is to run and to run it on. */

import { createDevice, createVersion } from './blank.ts'
import type { DeviceSpec, VersionSpec } from './events.ts'
import { joinPool } from './eviction/pool.ts'
import { chooseReserved } from './fairness/reserved.ts'
import type { DeviceId } from './ids.ts'
import { remember } from './learning/forgetting.ts'
import { keepLine } from './placement/lines.ts'
import { bindUnbound } from './placement/rebinding.ts'
import type { Turn } from './turn.ts'
import { sendPolicy } from './workers/worker-words.ts'

/** A device that is known already is described anew; what it holds stays. */
export function addDevice(turn: Turn, spec: DeviceSpec): void {
  const { devices, versions } = turn.state
  const known = devices.get(spec.deviceId)
  if (known) known.spec = spec
  const device = known ?? createDevice(spec)
  devices.set(spec.deviceId, device)
  joinPool(turn.state, device)
  if (!known) chooseReserved(turn.state)
  if (!known) keepLine(turn.state, device)
  if (known) turn.state.fleet.note(device)
  else turn.state.fleet.add(device)
  // A version with a long queue may want to be there too.
  for (const version of versions.values()) turn.touched.add(version)
  turn.freed.add(device)
  bindUnbound(turn)
  turn.placementDue = true
  turn.staffingDue = true
}

/** A version that is known already gets new limits, which its workers are told; one whose files were gone is back. */
export function registerVersion(turn: Turn, spec: VersionSpec): void {
  const { versions } = turn.state
  const known = versions.get(spec.versionId)
  if (known) {
    known.spec = spec
    known.standing = 'current'
    for (const residency of known.residencies) if (residency.state === 'resident') sendPolicy(turn, residency)
    turn.touched.add(known)
    return
  }
  versions.set(spec.versionId, createVersion(turn.state, spec))
  remember(turn.state, spec.versionId)
  turn.staffingDue = true
}

export function measureDevice(turn: Turn, deviceId: DeviceId, externalBytes: number, stallShare: number): void {
  const device = turn.state.devices.get(deviceId)
  if (!device) return
  device.externalBytes = externalBytes
  turn.state.fleet.note(device)
  device.pressure.stallShare = stallShare
  turn.pressureDue.add(device)
  turn.freed.add(device)
  turn.staffingDue = true
}
