/** A version as the scheduler plans with it: the manifest's limits where it gives any, else the defaults below. */
import type { VersionSpec } from '../../scheduler/events.ts'
import type { VersionId } from '../../scheduler/ids.ts'
import type { Manifest } from './manifest.ts'
import type { PlannedMemory } from './planned-memory.ts'

/** One at a time, until a manifest says that sharing a step pays. */
const batchLimitDefault = 1
/** Work never waits for company. */
const holdMsDefault = 0
/** A step of batch-class work that would last longer gives way to interactive work. */
const interruptAfterMsDefault = 5

export function versionSpec(versionId: VersionId, manifest: Manifest, memory: PlannedMemory): VersionSpec {
  const { limits } = manifest
  return {
    versionId,
    modelName: manifest.name,
    engine: manifest.engine,
    weightsBytes: memory.weightsBytes,
    workingBytes: memory.workingBytes,
    batchLimit: limits.batchLimit ?? batchLimitDefault,
    holdMs: limits.holdMs ?? holdMsDefault,
    interruptAfterMs: limits.interruptAfterMs ?? interruptAfterMsDefault,
    componentBytes: memory.componentBytes,
    componentNames: manifest.components.map(({ name }) => name),
  }
}
