/** The rows of the memory ledger that are open now, with when each was opened: the scheduler knows no past. */
import type { Allocation } from '../scheduler/commands.ts'
import type { AllocationId, DeviceId, JobId, Millis } from '../scheduler/ids.ts'

export type AllocationView = Allocation & { readonly createdAt: Millis }

export class Allocations {
  readonly #open = new Map<AllocationId, AllocationView>()

  changed(allocation: Allocation, now: Millis): void {
    const { allocationId: id, state } = allocation
    if (state === 'released' || state === 'rolled_back') this.#open.delete(id)
    else this.#open.set(id, { ...allocation, createdAt: this.#open.get(id)?.createdAt ?? now })
  }

  /** Null also for one that is closed. */
  find(id: AllocationId): AllocationView | null {
    return this.#open.get(id) ?? null
  }

  /** Oldest first. */
  all(filter: { readonly deviceId?: DeviceId; readonly jobId?: JobId }): AllocationView[] {
    const matches = ({ deviceId, jobId }: AllocationView) =>
      (filter.deviceId === undefined || deviceId === filter.deviceId) &&
      (filter.jobId === undefined || jobId === filter.jobId)
    return [...this.#open.values()].filter(matches)
  }
}
