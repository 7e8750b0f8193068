/**
 * The rows of the memory ledger, with when each was opened and closed: the scheduler knows no past. Those that are open are here; those that are
 * closed wait here for a while to be written, and are read from the store after that.
 */
import type { Allocation } from '../scheduler/commands.ts'
import type { AllocationId, Millis } from '../scheduler/ids.ts'
import type { AllocationRecord, ClosedAllocation } from '../store/records.ts'
import type { AllocationFilter, PageRequest, Store } from '../store/store.ts'

export type AllocationView = AllocationRecord

/** So many closed rows wait at most; older ones are dropped, and counted. */
const closedMax = 2000

export class Allocations {
  readonly #open = new Map<AllocationId, AllocationView>()
  readonly #store: Pick<Store, 'readAllocation' | 'readAllocations' | 'countAllocations'>
  /** Oldest first. */
  readonly #closed = new Map<AllocationId, ClosedAllocation>()
  #dropped = 0

  constructor(store: Pick<Store, 'readAllocation' | 'readAllocations' | 'countAllocations'>) {
    this.#store = store
  }

  /** Closed rows that were never written. */
  get dropped(): number {
    return this.#dropped
  }

  changed(allocation: Allocation, now: Millis): void {
    const { allocationId: id, state } = allocation
    const createdAt = this.#open.get(id)?.createdAt ?? now
    if (state !== 'released' && state !== 'rolled_back') {
      this.#open.set(id, { ...allocation, createdAt, releasedAt: null })
      return
    }
    this.#open.delete(id)
    this.#closed.set(id, { ...allocation, createdAt, releasedAt: now })
    const [oldest] = this.#closed.keys()
    if (this.#closed.size <= closedMax || oldest === undefined) return
    this.#closed.delete(oldest)
    this.#dropped += 1
  }

  /** The oldest closed rows that are to be written; they stay here until `written`. */
  unwritten(limit: number): ClosedAllocation[] {
    return [...this.#closed.values()].slice(0, limit)
  }

  written(rows: readonly ClosedAllocation[]): void {
    for (const { allocationId } of rows) this.#closed.delete(allocationId)
  }

  /** They can never be written. */
  refused(rows: readonly ClosedAllocation[]): void {
    this.#dropped += rows.length
    this.written(rows)
  }

  /** Null also for one whose row is not kept any more. */
  find(id: AllocationId): Promise<AllocationView | null> {
    const here = this.#open.get(id) ?? this.#closed.get(id)
    return here ? Promise.resolve(here) : this.#store.readAllocation(id)
  }

  /** Oldest first. */
  open(filter: AllocationFilter): AllocationView[] {
    return [...this.#open.values()].filter((row) => isWanted(filter, row))
  }

  /** Newest first. */
  async page(filter: AllocationFilter, { first, beforeId }: PageRequest): Promise<AllocationView[]> {
    const isBefore = ({ allocationId }: AllocationView) => beforeId === null || allocationId < beforeId
    const here = this.#inMemory(filter).filter(isBefore)
    const stored = await this.#store.readAllocations(filter, { first, beforeId })
    const known = new Set(here.map(({ allocationId }) => allocationId))
    const rows = [...here, ...stored.filter(({ allocationId }) => !known.has(allocationId))]
    return rows.sort((a, b) => b.allocationId - a.allocationId).slice(0, first)
  }

  async count(filter: AllocationFilter): Promise<number> {
    const stored = await this.#store.countAllocations(filter)
    return stored + this.#inMemory(filter).length
  }

  #inMemory(filter: AllocationFilter): AllocationView[] {
    return [...this.#open.values(), ...this.#closed.values()].filter((row) => isWanted(filter, row))
  }
}

function isWanted({ deviceId, jobId, states, purposes }: AllocationFilter, row: AllocationView): boolean {
  return (
    (deviceId === undefined || deviceId === row.deviceId) &&
    (jobId === undefined || jobId === row.jobId) &&
    (!states || states.includes(row.state)) &&
    (!purposes || purposes.includes(row.purpose))
  )
}
