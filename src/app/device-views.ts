/** Devices as the API shows them: what the provider found, with the ledger's figures. */
import { ledgerOf } from '../scheduler/ledger.ts'
import type { SchedulerState } from '../scheduler/state.ts'
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
        state: 'HEALTHY',
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
