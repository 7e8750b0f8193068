/** What the routing policies remember, as plain JSON and back. */
import type { DeviceId, VersionId } from '../ids.ts'
import type { DeviceShare, RoutingMemory } from '../placement/policies/memory.ts'
import type { WorkModel } from '../placement/policies/work-model.ts'

export interface RoutingSnapshot extends Omit<RoutingMemory, 'shares' | 'workModels' | 'biases'> {
  readonly shares: readonly (readonly [DeviceId, DeviceShare])[]
  readonly workModels: readonly (readonly [VersionId, WorkModel])[]
  readonly biases: readonly (readonly [VersionId, readonly (readonly [DeviceId, number])[]])[]
}

export function routingOut({ shares, workModels, biases, mix, trust, ...rest }: RoutingMemory): RoutingSnapshot {
  return {
    ...rest,
    mix: mix.map((wish) => ({ ...wish })),
    trust: { ...trust },
    shares: [...shares].map(([deviceId, share]) => [deviceId, { ...share }] as const),
    workModels: [...workModels].map(([versionId, model]) => [versionId, { ...model }] as const),
    biases: [...biases].map(([versionId, there]) => [versionId, [...there]] as const),
  }
}

export function routingIn(memory: RoutingMemory, snapshot: RoutingSnapshot): void {
  const { shares, workModels, biases, mix, trust, ...rest } = snapshot
  Object.assign(memory, rest)
  memory.mix = mix.map((wish) => ({ ...wish }))
  Object.assign(memory.trust, trust)
  for (const [deviceId, share] of shares) memory.shares.set(deviceId, { ...share })
  for (const [versionId, model] of workModels) memory.workModels.set(versionId, { ...model })
  for (const [versionId, there] of biases) memory.biases.set(versionId, new Map(there))
}
