/** Versions that no device could ever hold. */
import type { DeviceId, VersionId } from '../ids.ts'
import { bytesOf } from '../memory/footprint.ts'
import { weightsLimitBytes } from '../memory/ledger.ts'
import { type Device, isLive, type SchedulerState, type Version } from '../state.ts'
import { engineBytes } from '../workers/workers.ts'

export interface Shortfall {
  readonly neededBytes: number
  readonly availableBytes: number
}

/** What a version needs and what the best device could ever give, if none can hold it; null if it fits, is there already, or there is no device yet. */
export function misfit(state: SchedulerState, versionId: VersionId): Shortfall | null {
  const version = state.versions.get(versionId)
  return !version || version.residencies.some(isLive) ? null : misfitOf(state, version)
}

/** Some device could hold it if it held nothing else. */
export function isHoldable(state: SchedulerState, version: Version, deviceId: DeviceId | null): boolean {
  if (deviceId === null) return misfitOf(state, version) === null
  const device = state.devices.get(deviceId)
  return device !== undefined && shortfall(state, version, device) === null
}

function misfitOf(state: SchedulerState, version: Version): Shortfall | null {
  let best: Shortfall | null = null
  for (const device of state.devices.values()) {
    const here = shortfall(state, version, device)
    if (!here) return null
    if (!best || here.availableBytes > best.availableBytes) best = here
  }
  return best
}

/** Against a device that holds nothing else; null if it fits. */
export function shortfall(state: SchedulerState, version: Version, device: Device): Shortfall | null {
  const { weightsBytes, workingBytes } = bytesOf(version)
  const totalBytes = weightsBytes + workingBytes + engineBytes(state, version.spec.engine)
  const weightsLimit = weightsLimitBytes(state, device)
  if (weightsBytes > weightsLimit) return { neededBytes: weightsBytes, availableBytes: weightsLimit }
  return totalBytes > device.spec.limitBytes
    ? { neededBytes: totalBytes, availableBytes: device.spec.limitBytes }
    : null
}
