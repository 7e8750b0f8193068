/** What runs models: devices of one kind, found and measured by their provider. */
export interface DeviceFacts {
  readonly name: string
  readonly kind: 'CPU' | 'GPU' | 'NPU'
  readonly vendor: string | null
  /** Cores that its workers are pinned to; empty = not pinned. */
  readonly cores: readonly number[]
  /** Threads that are worth starting at once. */
  readonly coreCount: number
  readonly totalBytes: number
  /** Bytes that Hearth may hand out on it. */
  readonly limitBytes: number
  readonly capabilities: DeviceCapabilities
}

export interface DeviceCapabilities {
  readonly coreCount: number | null
  /** Number formats that the hardware computes in, as in `fp32`, `bf16`. */
  readonly precisions: readonly string[]
  readonly architecture: string | null
  readonly driverVersion: string | null
  readonly details: Readonly<Record<string, unknown>>
}

export interface DeviceMeasure {
  /** In use on the device by anybody. */
  readonly memoryUsedBytes: number
  /** What others have taken of the memory that Hearth was going to hand out here. */
  readonly externalBytes: number
  /** Of the last seconds, in which something stood still there for want of memory; 0 to 1, 0 where nobody can tell. */
  readonly stallShare: number
}

export interface DeviceProvider {
  readonly devices: readonly DeviceFacts[]
  /** `ownPrivateBytes`: private memory of Hearth's workers on a device, by its name. One measure per device, in their order. */
  measure(ownPrivateBytes: (deviceName: string) => number): readonly DeviceMeasure[]
}
