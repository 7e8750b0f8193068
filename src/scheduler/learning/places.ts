/** What a version is like on each of the devices where it has been of late. */
import type { DeviceId } from '../ids.ts'
import type { Device } from '../state.ts'
import { blend } from './blend.ts'

export interface LearntThere {
  readonly deviceId: DeviceId
  execMs: number | null
  loadMs: number | null
}

/** Beyond that the oldest is forgotten. */
const placesMax = 64

export function thereOf(places: readonly LearntThere[], { spec }: Device): LearntThere | undefined {
  return places.length === 0 ? undefined : places.find(({ deviceId }) => deviceId === spec.deviceId)
}

export function learnThere(
  places: LearntThere[],
  device: Device,
  times: { readonly execMs?: number; readonly loadMs?: number },
  rate: number,
): void {
  let there = thereOf(places, device)
  if (!there) {
    there = { deviceId: device.spec.deviceId, execMs: null, loadMs: null }
    places.push(there)
    if (places.length > placesMax) places.shift()
  }
  if (times.execMs !== undefined) there.execMs = blend(there.execMs, times.execMs, rate)
  if (times.loadMs !== undefined) there.loadMs = blend(there.loadMs, times.loadMs, rate)
}
