/** Loads and unloads that somebody asks for. */
import type { DeviceId, VersionId } from '../ids.ts'
import { isPinned } from '../pins/pins.ts'
import { deviceOf, isLive, type LiveResidency } from '../state.ts'
import type { Turn } from '../turn.ts'
import { unload } from './loading.ts'

/** `deviceId` null = on whichever device suits best. Nothing happens where the version is, or is about to be, or where it can never be again. */
export function requestLoad(turn: Turn, versionId: VersionId, deviceId: DeviceId | null): void {
  const version = turn.state.versions.get(versionId)
  if (!version || version.standing === 'replaced' || version.requests.includes(deviceId)) return
  if (version.residencies.some((residency) => isLive(residency) && isOn(residency, deviceId))) return
  version.requests.push(deviceId)
  turn.touched.add(version)
  turn.unplaced.add(version)
}

/** `deviceId` null = everywhere. Jobs that wait load the version again. What is pinned stays. */
export function requestUnload(turn: Turn, versionId: VersionId, deviceId: DeviceId | null): void {
  const version = turn.state.versions.get(versionId)
  if (!version) return
  version.requests = version.requests.filter((wish) => deviceId !== null && wish !== deviceId)
  if (deviceId === null) version.rewarm = false
  turn.touched.add(version)
  for (const residency of version.residencies)
    if (isOn(residency, deviceId) && !isPinned(residency)) unload(turn, residency, 'unloaded', 'asked_for')
}

function isOn(residency: LiveResidency, deviceId: DeviceId | null): boolean {
  return deviceId === null || deviceOf(residency).spec.deviceId === deviceId
}
