/**
 * A version that cannot be loaded at once (its engine starts, or models leave for it) claims its device: what becomes free there is for it. Others take
 * only what fits beside it, unless they are more urgent.
 */
import { missingBytes, type Need } from '../eviction/victims.ts'
import type { Device, SchedulerState, Version } from '../state.ts'
import type { Turn } from '../turn.ts'
import { isMoreUrgent } from './wanted-list.ts'

export function claim(turn: Turn, version: Version, device: Device): void {
  if (version.claimed === device) return
  dropClaim(turn, version)
  // It fits beside what goes before it.
  if (device.claim && isMoreUrgent(device.claim, version)) return
  displace(turn, device)
  version.claimed = device
  device.claim = version
}

export function dropClaim(turn: Turn, version: Version): void {
  const { claimed } = version
  if (!claimed) return
  claimed.claim = null
  version.claimed = null
  if (turn.state.wanted.size > 0) turn.freed.add(claimed)
}

/** Whoever was to be next there has to look for another place. */
export function displace(turn: Turn, device: Device): void {
  const { claim: displaced } = device
  if (!displaced) return
  device.claim = null
  displaced.claimed = null
  turn.unplaced.add(displaced)
}

/** The version may use the device: nobody who goes before it needs what it would take. */
export function isOpenTo(
  state: SchedulerState,
  device: Device,
  version: Version,
  need: Need,
  needOf: (version: Version, device: Device) => Need,
): boolean {
  const { claim: other } = device
  if (!other || other === version || isMoreUrgent(version, other)) return true
  const held = needOf(other, device)
  const both = {
    ...need,
    totalBytes: need.totalBytes + held.totalBytes,
    weightsBytes: need.weightsBytes + held.weightsBytes,
  }
  return missingBytes(state, device, both) === 0
}
