/** What a worker says of the models that it holds. All readers throw ProtocolError. */
import type { VersionId } from '../../scheduler/ids.ts'
import type { Frame } from './frame.ts'
import { countField, decodeMetadata, durationField, textField } from './metadata.ts'

export type ModelReport =
  | {
      readonly kind: 'loaded'
      readonly versionId: VersionId
      readonly loadMs: number
      /** Mapped or allocated for weights. */
      readonly weightsBytes: number
      /** Growth of private anonymous memory. */
      readonly privateBytes: number
    }
  /** One component of a model that is still being loaded. */
  | { readonly kind: 'componentLoaded'; readonly versionId: VersionId; readonly component: string }
  /** `privateBytes`: of the process, afterwards. */
  | { readonly kind: 'unloaded'; readonly versionId: VersionId; readonly privateBytes: number }

export function readLoaded(frame: Frame): ModelReport {
  const map = decodeMetadata(frame.meta, 'LOADED')
  return {
    kind: 'loaded',
    versionId: countField(map, 'model', 'LOADED') as VersionId,
    loadMs: durationField(map, 'loadMs', 'LOADED'),
    weightsBytes: countField(map, 'weightsBytes', 'LOADED'),
    privateBytes: countField(map, 'privateBytes', 'LOADED'),
  }
}

export function readComponentLoaded(frame: Frame): ModelReport {
  const map = decodeMetadata(frame.meta, 'COMPONENT_LOADED')
  return {
    kind: 'componentLoaded',
    versionId: countField(map, 'model', 'COMPONENT_LOADED') as VersionId,
    component: textField(map, 'component', 'COMPONENT_LOADED'),
  }
}

export function readUnloaded(frame: Frame): ModelReport {
  const map = decodeMetadata(frame.meta, 'UNLOADED')
  return {
    kind: 'unloaded',
    versionId: countField(map, 'model', 'UNLOADED') as VersionId,
    privateBytes: countField(map, 'privateBytes', 'UNLOADED'),
  }
}
