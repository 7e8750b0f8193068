/** How fast devices are: how long work takes there, as a part of what the same version takes on the whole; 1 = as long as anywhere. */
import type { Device, SchedulerState, Version } from '../state.ts'
import { blend } from './blend.ts'

const ratioMax = 8
/** Work differs more than devices do: only the mean of many tasks tells something of a device. */
const slower = 20

/** To be asked before the mean of the version learns from it. */
export function learnSpeed(state: SchedulerState, version: Version, device: Device, execMs: number): void {
  const usualMs = version.learnt.execMs
  if (usualMs === null || usualMs <= 0) return
  const ratio = Math.min(ratioMax, Math.max(1 / ratioMax, execMs / usualMs))
  const { deviceId } = device.spec
  const slowness = blend(state.slowness.get(deviceId) ?? 1, ratio, state.settings.learningRate / slower)
  state.slowness.set(deviceId, slowness)
  state.leastSlowness = Math.min(state.leastSlowness, slowness)
}

export function slownessOf({ slowness }: SchedulerState, { spec }: Device): number {
  return slowness.get(spec.deviceId) ?? 1
}
