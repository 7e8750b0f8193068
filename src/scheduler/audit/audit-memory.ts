/** Memory as the ledger tells of it: what is measured may exceed a limit; what is promised never does. */

import type { Allocation, Command } from '../commands.ts'
import type { DeviceSpec, SchedulerEvent } from '../events.ts'
import type { AllocationId, DeviceId } from '../ids.ts'
import type { AuditPart } from './audit.ts'
import type { Expect } from './expect.ts'

export class MemoryAudit implements AuditPart {
  readonly #devices = new Map<DeviceId, DeviceSpec>()
  readonly #allocations = new Map<AllocationId, Allocation>()
  readonly #weightsShare: number
  readonly #expect: Expect
  /** Somebody waits, or has asked for a model: what is loaded for people may fill what is kept free of weights. */
  #isReserveOpen = false

  constructor(weightsShare: number, expect: Expect) {
    this.#weightsShare = weightsShare
    this.#expect = expect
  }

  takeEvent(event: SchedulerEvent): void {
    if (event.type === 'deviceAdded') this.#devices.set(event.device.deviceId, event.device)
    if (event.type === 'serverRestarted') this.#allocations.clear()
    this.#isReserveOpen ||= isForPeople(event)
  }

  takeCommand(command: Command): void {
    if (command.type === 'allocationChanged') this.#take(command.allocation)
  }

  settle(): void {}

  #take(allocation: Allocation): void {
    const { allocationId, deviceId, state, purpose, jobId } = allocation
    const isOfJob = purpose === 'activations' || purpose === 'paused_state'
    this.#expect((jobId !== null) === isOfJob, `Allocation ${allocationId} (${purpose}) is owned by the wrong side.`)
    if (state === 'released' || state === 'rolled_back') {
      this.#expect(this.#allocations.delete(allocationId), `Allocation ${allocationId} is given back twice.`)
      return
    }
    this.#allocations.set(allocationId, allocation)
    if (state !== 'reserved') return
    const here = [...this.#allocations.values()].filter((other) => other.deviceId === deviceId)
    const bytes = (of: readonly Allocation[]) => of.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const limitBytes = this.#devices.get(deviceId)?.limitBytes ?? 0
    this.#expect(bytes(here) <= limitBytes, `Device ${deviceId} promises more memory than it has.`)
    if (purpose !== 'weights') return
    const weights = bytes(here.filter((other) => other.purpose === 'weights'))
    this.#expect(
      this.#isReserveOpen || weights <= this.#weightsShare * limitBytes,
      `Device ${deviceId} promises more to weights than their share.`,
    )
  }
}

function isForPeople(event: SchedulerEvent): boolean {
  if (event.type === 'jobsSubmitted' || event.type === 'jobsRecovered')
    return event.jobs.some((job) => job.class === 'interactive')
  return event.type === 'loadRequested' || event.type === 'hintGiven' || event.type === 'sessionOpened'
}
