/** Devices that were found, with the numbers that the store gives their names for ever. */
import type { DeviceFacts, DeviceProvider } from '../runtime/devices/provider.ts'
import type { WorkerSpec } from '../runtime/workers/worker-pool.ts'
import type { DeviceId } from '../scheduler/ids.ts'
import type { Store } from '../store/store.ts'

export interface KnownDevice {
  readonly id: DeviceId
  readonly facts: DeviceFacts
}

/** More compute threads than this rarely pay for the models that a worker runs beside others. */
const threadsMax = 4

export function knownDevices(provider: DeviceProvider, store: Store): Promise<KnownDevice[]> {
  const known = async (facts: DeviceFacts) => ({ id: (await store.registerDevice(facts.name, facts.kind)).id, facts })
  return Promise.all(provider.devices.map(known))
}

/** Threads and cores of a worker on a device, and what memory it may take there. `threads` 0 = as many as the device has cores, within reason. */
export function placementOn(
  devices: readonly KnownDevice[],
  id: DeviceId,
  threads: number,
): Pick<WorkerSpec, 'threads' | 'cores' | 'privateBytesMax'> {
  const device = devices.find((known) => known.id === id)
  if (!device) throw new Error(`Device ${id} is not known.`)
  const { cores, coreCount, kind, limitBytes } = device.facts
  return {
    threads: threads === 0 ? Math.min(coreCount, threadsMax) : threads,
    cores,
    // Memory of other devices is not the kernel's to bound.
    privateBytesMax: kind === 'CPU' ? limitBytes : null,
  }
}
