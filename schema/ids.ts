/** Relay ids: opaque, permanent, and telling the type apart, so that an id of one noun is never taken for another's. */
import type {
  AllocationId,
  ComponentId,
  DeviceId,
  JobId,
  ResidencyId,
  SessionId,
  VersionId,
  WorkerId,
} from '../src/scheduler/ids.ts'
import type { ArtifactId, ModelId } from '../src/store/records.ts'
import { decodeOpaque, encodeOpaque } from './opaque.ts'

/** The nouns that `node` can find, with the numbers behind their ids. */
export interface NodeIds {
  Job: JobId
  Session: SessionId
  Model: ModelId
  ModelVersion: VersionId
  Component: ComponentId
  Residency: ResidencyId
  Device: DeviceId
  Worker: WorkerId
  Artifact: ArtifactId
  Allocation: AllocationId
  Decision: number
}
export type NodeName = keyof NodeIds
export const nodeNames = [
  'Job',
  'Session',
  'Model',
  'ModelVersion',
  'Component',
  'Residency',
  'Device',
  'Worker',
  'Artifact',
  'Allocation',
  'Decision',
] as const satisfies readonly NodeName[]

export function encodeId<Name extends NodeName>(name: Name, id: NodeIds[Name]): string {
  return encodeOpaque(name, id)
}

/** Null when `id` is malformed or belongs to another noun. */
export function decodeId<Name extends NodeName>(name: Name, id: string): NodeIds[Name] | null {
  return decodeOpaque(id, name) as NodeIds[Name] | null
}

/** Undefined when none is given. The empty string is given, and malformed. */
export function decodeIdIfGiven<Name extends NodeName>(
  name: Name,
  id: string | null | undefined,
): NodeIds[Name] | null | undefined {
  return id === null || id === undefined ? undefined : decodeId(name, id)
}
