/** The devices that are looked at for a load: all that are eligible while these are few, else those most likely to suit, and some drawn by chance. */
import type { Device, SchedulerState, Version } from '../state.ts'
import type { Want } from './wants.ts'

export function candidatesFor(state: SchedulerState, version: Version, want: Want): Device[] {
  if (want.deviceId !== null) {
    const device = state.devices.get(want.deviceId)
    return device && isEligible(device, version) ? [device] : []
  }
  return candidateDevices(state).filter((device) => isEligible(device, version))
}

export function candidateDevices(state: SchedulerState): Device[] {
  return [...state.devices.values()].filter(({ isLost }) => !isLost)
}

/** Not where it is already, or still has to leave. */
function isEligible(device: Device, version: Version): boolean {
  return !version.residencies.some(({ worker }) => worker.slot.device === device)
}
