/** A row of the ledger as the scheduler tells of it. */
import type { Allocation } from '../../src/scheduler/commands.ts'
import type { AllocationId, DeviceId } from '../../src/scheduler/ids.ts'

/** Weights on the first device, but for what is said. */
export function weightsAllocation(changes: Partial<Allocation> = {}): Allocation {
  return {
    allocationId: 1 as AllocationId,
    deviceId: 1 as DeviceId,
    purpose: 'weights',
    state: 'reserved',
    predictedBytes: 100,
    sizeBytes: 100,
    measuredBytes: null,
    workerId: null,
    residencyId: null,
    jobId: null,
    ...changes,
  }
}
