/** What the routing policies remember from one job to the next. Plain numbers; bounded by the devices and versions that there are. */
import type { DeviceId, Millis, VersionId } from '../../ids.ts'
import type { Mix } from './fragmentation.ts'
import type { WorkModel } from './work-model.ts'

export interface RoutingMemory {
  /** Round robin: who had the last job. */
  lastDeviceId: DeviceId | null
  /** Weighted round robin. */
  readonly shares: Map<DeviceId, DeviceShare>
  sharesRenewedAt: Millis | null
  /** Capacity: the sizes that memory is kept whole for. */
  mix: Mix
  mixRenewedAt: Millis | null
  /** Complexity: how long announced work takes, what counts as short, and how much of all work is short. */
  readonly workModels: Map<VersionId, WorkModel>
  shortMsMax: Millis | null
  shortMs: Millis
  longMs: Millis
  /** Adaptive: what waiting, loading and running have really taken, as a share of what was predicted; the latter also by version and device. */
  readonly trust: Trust
  readonly biases: Map<VersionId, Map<DeviceId, number>>
}

export interface DeviceShare {
  /** Null = to be weighed when it is asked for. */
  weight: number | null
  credit: number
}

export interface Trust {
  wait: number
  load: number
  exec: number
}

export function noRoutingMemory(): RoutingMemory {
  return {
    lastDeviceId: null,
    shares: new Map(),
    sharesRenewedAt: null,
    mix: [],
    mixRenewedAt: null,
    workModels: new Map(),
    shortMsMax: null,
    shortMs: 0,
    longMs: 0,
    trust: { wait: 1, load: 1, exec: 1 },
    biases: new Map(),
  }
}
