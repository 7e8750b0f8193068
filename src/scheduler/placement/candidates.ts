/** The devices that are looked at for a load: all that are eligible while these are few, else those most likely to suit, and some drawn by chance. */
import { bytesOf } from '../memory/footprint.ts'
import type { Device, SchedulerState, Version } from '../state.ts'
import type { Want } from './wants.ts'

/** `chance`: what is drawn comes from there; whoever only asks gives a copy. */
export function candidatesFor(
  state: SchedulerState,
  version: Version,
  want: Want,
  chance: { random: number },
  only: Device | null,
): Device[] {
  const single = want.deviceId === null ? only : state.devices.get(want.deviceId)
  if (single !== null) return single && (only ?? single) === single && isEligible(single, version) ? [single] : []
  const { claimed } = version
  const devices = candidateDevices(state, version, chance)
  if (claimed && !devices.includes(claimed)) devices.push(claimed)
  return devices.filter((device) => isEligible(device, version))
}

/** Whether the version is there already or not. */
export function candidateDevices(state: SchedulerState, version: Version, chance: { random: number }): Device[] {
  if (areFew(state)) return [...state.devices.values()].filter(({ isLost }) => !isLost)
  const { weightsBytes, workingBytes } = bytesOf(version)
  const drawn = state.fleet.draw(weightsBytes + workingBytes, chance)
  for (const { worker } of version.residencies.slice(0, residentsMax)) drawn.add(worker.slot.device)
  return [...drawn].filter(({ isLost }) => !isLost)
}

export function areFew({ devices, settings }: SchedulerState): boolean {
  return devices.size <= settings.exactDevices
}

/** Places of a version that are looked at in any case. */
const residentsMax = 4

/** Not where it is already, or still has to leave. */
function isEligible({ isLost, residencies }: Device, version: Version): boolean {
  if (isLost) return false
  for (const residency of residencies) if (residency.version === version) return false
  return true
}
