/** Devices as the API shows them: what the provider found, with the ledger's figures. */
import { ledgerOf } from '../scheduler/memory/ledger.ts'
import type { Device, SchedulerState } from '../scheduler/state.ts'
import type { DeviceRecord } from '../store/records.ts'
import type { DeviceView } from './app.ts'
import type { KnownDevice } from './known-devices.ts'

export class DeviceViews {
  readonly #devices: readonly KnownDevice[]
  readonly #state: SchedulerState

  constructor(devices: readonly KnownDevice[], state: SchedulerState) {
    this.#devices = devices
    this.#state = state
  }

  all(): DeviceView[] {
    return this.#devices.map(({ id, facts }) => {
      const { limitBytes, reservedBytes, allocatedBytes, availableBytes, externalBytes } = ledgerOf(this.#state, id)
      return {
        id,
        name: facts.name,
        kind: 'CPU',
        vendor: facts.vendor,
        state: stateOf(this.#state.devices.get(id)),
        drain: 'NONE',
        source: 'CPU',
        // One address space with pages: there is nothing to fragment that a load could notice.
        memory: {
          totalBytes: facts.totalBytes,
          limitBytes,
          reservedBytes,
          allocatedBytes,
          availableBytes,
          externalBytes,
          fragmentation: 0,
        },
        capabilities: facts.capabilities,
      }
    })
  }
}

/** SUSPECT: a worker there does not answer. */
function stateOf(device: Device | undefined): DeviceView['state'] {
  if (!device) return 'HEALTHY'
  if (device.isLost) return 'LOST'
  const workers = [...device.slots.values()].flatMap(({ primary }) => primary ?? [])
  return workers.some(({ isSuspected }) => isSuspected) ? 'SUSPECT' : 'HEALTHY'
}

/** One that jobs once ran on and that is no longer declared: only its name and kind are known. */
export function lostDevice({ id, name, kind }: DeviceRecord): DeviceView {
  return {
    id,
    name,
    kind,
    vendor: null,
    state: 'LOST',
    drain: 'NONE',
    source: kind === 'CPU' ? 'CPU' : 'NVIDIA',
    memory: {
      totalBytes: 0,
      limitBytes: 0,
      reservedBytes: 0,
      allocatedBytes: 0,
      availableBytes: 0,
      externalBytes: 0,
      fragmentation: 0,
    },
    capabilities: { coreCount: null, precisions: [], architecture: null, driverVersion: null, details: {} },
  }
}
