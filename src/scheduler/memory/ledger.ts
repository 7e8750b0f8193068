/**
 * The memory of each device, owned here: every byte that Hearth uses is part of an allocation, reserve -> commit(measured) -> release,
 * or rolled back. available = limit - allocated - reserved - external. Nothing is reserved that is not available; only a measurement
 * that exceeds its prediction can take a device over its limit.
 */
import type { Allocation, AllocationPurpose } from '../commands.ts'
import type { PriorityClass } from '../events.ts'
import type { AllocationId, DeviceId, ResidencyId, WorkerId } from '../ids.ts'
import type { Device, Job, LiveAllocation, LiveResidency, SchedulerState } from '../state.ts'
import type { Turn } from '../turn.ts'

export interface Ledger {
  readonly limitBytes: number
  readonly allocatedBytes: number
  readonly reservedBytes: number
  readonly externalBytes: number
  readonly availableBytes: number
}

/** A device that the scheduler does not know has nothing to give. */
export function ledgerOf(state: SchedulerState, deviceId: DeviceId): Ledger {
  const device = state.devices.get(deviceId)
  if (!device) return { limitBytes: 0, allocatedBytes: 0, reservedBytes: 0, externalBytes: 0, availableBytes: 0 }
  const { allocatedBytes, reservedBytes, externalBytes } = device
  return {
    limitBytes: device.spec.limitBytes,
    allocatedBytes,
    reservedBytes,
    externalBytes,
    availableBytes: availableBytes(device),
  }
}

export function availableBytes(device: Device): number {
  return device.spec.limitBytes - device.allocatedBytes - device.reservedBytes - device.externalBytes
}

/** What weights may still take: for interactive work all there is, for other work their share; negative where more is there already. */
export function weightsRoomBytes(state: SchedulerState, device: Device, priorityClass: PriorityClass): number {
  const limit = priorityClass === 'interactive' ? device.spec.limitBytes : weightsLimitBytes(state, device)
  return limit - device.weightsBytes
}

export function weightsLimitBytes(state: SchedulerState, device: Device): number {
  return Math.floor(state.settings.weightsShare * device.spec.limitBytes)
}

export function reserve(
  turn: Turn,
  device: Device,
  purpose: AllocationPurpose,
  predictedBytes: number,
  owner: { workerId: WorkerId; residencyId: ResidencyId | null },
): LiveAllocation {
  if (predictedBytes > availableBytes(device))
    throw new Error(
      `Device ${device.spec.name} has ${availableBytes(device)} bytes; ${predictedBytes} cannot be reserved.`,
    )
  const bytes = { predictedBytes, sizeBytes: predictedBytes, measuredBytes: null }
  return open(turn, { device, purpose, state: 'reserved', ...bytes, ...owner, jobId: null })
}

/** What a job already has in a worker, beside its model: nobody was asked before, so that it may take a device over its limit. */
export function charge(
  turn: Turn,
  purpose: 'activations' | 'paused_state',
  bytes: number,
  { residencyId, worker }: LiveResidency,
  { jobId }: Job,
): LiveAllocation {
  const { workerId, slot } = worker
  const sizes = { predictedBytes: bytes, sizeBytes: bytes, measuredBytes: bytes }
  return open(turn, { device: slot.device, purpose, state: 'committed', ...sizes, workerId, residencyId, jobId })
}

/** `sizeBytes`: what it counts for from now on. */
export function commit(turn: Turn, allocation: LiveAllocation, measuredBytes: number, sizeBytes = measuredBytes): void {
  uncount(allocation)
  allocation.state = 'committed'
  allocation.measuredBytes = measuredBytes
  allocation.sizeBytes = sizeBytes
  count(allocation)
  tell(turn, allocation)
}

/** Gives the bytes back: a reservation is rolled back, a commitment released. */
export function release(turn: Turn, allocation: LiveAllocation): void {
  uncount(allocation)
  allocation.state = allocation.state === 'reserved' ? 'rolled_back' : 'released'
  turn.state.allocations.delete(allocation.allocationId)
  turn.freed.add(allocation.device)
  turn.staffingDue = true
  tell(turn, allocation)
}

function open(turn: Turn, row: Omit<LiveAllocation, 'allocationId'>): LiveAllocation {
  const { state } = turn
  const allocation: LiveAllocation = { allocationId: state.nextRuntimeId as AllocationId, ...row }
  state.nextRuntimeId += 1
  state.allocations.set(allocation.allocationId, allocation)
  count(allocation)
  tell(turn, allocation)
  return allocation
}

function count({ device, purpose, state, sizeBytes }: LiveAllocation): void {
  if (state === 'reserved') device.reservedBytes += sizeBytes
  else device.allocatedBytes += sizeBytes
  if (purpose === 'weights') device.weightsBytes += sizeBytes
}

function uncount({ device, purpose, state, sizeBytes }: LiveAllocation): void {
  if (state === 'reserved') device.reservedBytes -= sizeBytes
  else device.allocatedBytes -= sizeBytes
  if (purpose === 'weights') device.weightsBytes -= sizeBytes
}

function tell(turn: Turn, live: LiveAllocation): void {
  turn.pressureDue.add(live.device)
  turn.state.fleet.note(live.device)
  const { allocationId, device, purpose, state, predictedBytes, sizeBytes, measuredBytes } = live
  const { workerId, residencyId, jobId } = live
  const allocation: Allocation = {
    allocationId,
    deviceId: device.spec.deviceId,
    purpose,
    state,
    predictedBytes,
    sizeBytes,
    measuredBytes,
    workerId,
    residencyId,
    jobId,
  }
  turn.commands.push({ type: 'allocationChanged', allocation })
}
