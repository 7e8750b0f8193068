/** Looks at both devices again and again: whether what is lent stays within the budgets, what was loaded, and how full of measured memory they were. */
import type { Connection } from '../clients/jobs.ts'
import { operation } from '../clients/operation.ts'

const devicesQuery = operation(`
  query { devices { name memory { limitBytes allocatedBytes reservedBytes } residencies { id }
    allocations { id state sizeBytes measuredBytes } } }`)

interface DeviceRow {
  readonly name: string
  readonly memory: { readonly limitBytes: number; readonly allocatedBytes: number; readonly reservedBytes: number }
  readonly residencies: readonly { readonly id: string }[]
  readonly allocations: readonly AllocationRow[]
}
interface AllocationRow {
  readonly id: string
  readonly state: string
  readonly sizeBytes: number
  readonly measuredBytes: number | null
}

const everyMs = 40

export class DeviceWatch {
  samples = 0
  /** Samples in which a device had lent more than it has. */
  overCommitted = 0
  readonly #residencies = new Set<string>()
  /** Of each device, the most that was measured, and what was committed then. */
  readonly #peaks = new Map<string, { measuredBytes: number; committedBytes: number }>()
  #isOver = false
  readonly #done: Promise<void>

  constructor(connection: Connection) {
    this.#done = this.#watch(connection)
  }

  /** Copies of models that were there at some time. */
  get loads(): number {
    return this.#residencies.size
  }

  /** Most measured / what was committed at that time, over all devices. */
  get efficiency(): number {
    let measuredBytes = 0
    let committedBytes = 0
    for (const peak of this.#peaks.values()) {
      measuredBytes += peak.measuredBytes
      committedBytes += peak.committedBytes
    }
    return measuredBytes / committedBytes
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#done
  }

  async #watch(connection: Connection): Promise<void> {
    while (!this.#isOver) {
      const { devices } = (await connection.ask(devicesQuery, {})) as { devices: readonly DeviceRow[] }
      for (const device of devices) this.#note(device)
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }

  #note({ name, memory, residencies, allocations }: DeviceRow): void {
    this.samples += 1
    if (memory.allocatedBytes + memory.reservedBytes > memory.limitBytes) this.overCommitted += 1
    for (const { id } of residencies) this.#residencies.add(id)
    const committed = allocations.filter(({ state }) => state === 'COMMITTED')
    const measuredBytes = committed.reduce((sum, each) => sum + (each.measuredBytes ?? each.sizeBytes), 0)
    const committedBytes = committed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const before = this.#peaks.get(name)
    if (!before || measuredBytes > before.measuredBytes) this.#peaks.set(name, { measuredBytes, committedBytes })
  }
}
