/** Where tasks wait that are bound to a device. */
import type { Lanes, LiveResidency } from '../state.ts'

/** Whoever waits for a residency because its job is bound to the device; where order is kept, nobody while another model is first in line. */
export function boundHere({ version, worker }: LiveResidency): Lanes | null {
  const { device } = worker.slot
  const bound = version.bound.get(device)
  if (!bound || (device.line && device.line.first()?.version !== version)) return null
  return bound.lanes
}
