/** Devices that take interactive work only: a share of them, those of the lowest numbers, so that everybody agrees on which they are. */
import type { PriorityClass } from '../events.ts'
import type { Device, SchedulerState } from '../state.ts'

/** Batch work is neither loaded nor admitted there. */
export function isReservedFrom({ reserved }: SchedulerState, device: Device, priorityClass: PriorityClass): boolean {
  return priorityClass === 'batch' && reserved.has(device)
}

/** To be asked when devices come: never all of them, or batch work would wait for ever. */
export function chooseReserved({ settings, devices, reserved }: SchedulerState): void {
  const count = Math.min(Math.round(settings.interactiveDeviceShare * devices.size), devices.size - 1)
  if (count <= 0 && reserved.size === 0) return
  const inOrder = [...devices.values()].sort((a, b) => a.spec.deviceId - b.spec.deviceId)
  reserved.clear()
  for (const device of inOrder.slice(0, Math.max(0, count))) reserved.add(device)
}
