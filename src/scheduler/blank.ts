/** Devices, slots, lanes and versions as they begin: holding nothing. */
import { noLoad } from './batching/load-of-device.ts'
import type { DeviceSpec, VersionSpec } from './events.ts'
import { createWorkClock } from './fairness/work-clock.ts'
import { nothingLearnt } from './learning/learning.ts'
import { noPressure } from './pressure/levels.ts'
import { OrderedQueue } from './queues/ordered-queue.ts'
import type { Device, Lanes, SchedulerState, Slot, Version } from './state.ts'

export function createDevice(spec: DeviceSpec): Device {
  return {
    spec,
    order: spec.deviceId,
    arrival: 0,
    place: { isIdle: false, bucket: -1 },
    allocatedBytes: 0,
    reservedBytes: 0,
    externalBytes: 0,
    weightsBytes: 0,
    pooled: null,
    isLost: false,
    admitted: 0,
    loading: null,
    claim: null,
    migratedAt: null,
    line: null,
    boundMs: 0,
    leaseTurn: null,
    clock: createWorkClock(),
    load: noLoad(),
    pressure: noPressure(),
    heldJobs: new Set(),
    slots: new Map(),
    residencies: new Set(),
  }
}

export function createSlot(device: Device, engine: string): Slot {
  const slot: Slot = {
    device,
    engine,
    primary: null,
    retiring: null,
    spares: [],
    deaths: 0,
    lastDeathAt: null,
    notBefore: 0,
    restartCount: 0,
    circuit: 'closed',
    recoversAt: null,
    openings: 0,
  }
  device.slots.set(engine, slot)
  return slot
}

/** What was learnt about it in a former process is remembered. */
export function createVersion({ learnt }: SchedulerState, spec: VersionSpec): Version {
  const facts = learnt.get(spec.versionId) ?? nothingLearnt()
  learnt.set(spec.versionId, facts)
  return {
    spec,
    learnt: facts,
    lanes: createLanes(),
    bound: new Map(),
    suspects: new OrderedQueue(),
    aloneAt: null,
    residencies: [],
    loadingJobs: new Set(),
    requests: [],
    pins: [],
    hint: null,
    sessions: new Set(),
    rewarm: false,
    standing: 'current',
    staleInARow: 0,
    loadFailures: 0,
    notBefore: 0,
    urgency: null,
    claimed: null,
    retryAt: null,
    retrySlot: -1,
    migration: null,
    migratedAt: null,
    servedAtWant: null,
    weighedAt: null,
    wantedSince: null,
    shortSince: null,
    isOwedRoom: false,
  }
}

export function createLanes(): Lanes {
  return { interactive: new OrderedQueue(), batch: new OrderedQueue() }
}
