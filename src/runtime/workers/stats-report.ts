/** What a worker has counted and measured of itself; the answer to STATS. */
import type { Frame } from './frame.ts'
import { countField, decodeMetadata, durationField, type Metadata, optionalMapField } from './metadata.ts'

export interface StatsReport {
  readonly kind: 'statsReport'
  readonly privateBytes: number
  readonly residentBytes: number
  /** Finished steps of any kind. */
  readonly progress: number
  readonly cpuMs: number
  /** Null = the worker does not count that. */
  readonly handOver: HandOver | null
}
/** What went from one task to the next within the worker, since its start. */
export interface HandOver {
  readonly tensors: number
  readonly bytes: number
  /** Of any copy on the way. */
  readonly copiedBytes: number
  /** Put side by side for a run that several tasks share: what batching copies, at each step anew. */
  readonly gatheredBytes: number
}

/** Throws ProtocolError. */
export function readStats(frame: Frame): StatsReport {
  const map = decodeMetadata(frame.meta, 'STATS_REPORT')
  return {
    kind: 'statsReport',
    privateBytes: countField(map, 'privateBytes', 'STATS_REPORT'),
    residentBytes: countField(map, 'residentBytes', 'STATS_REPORT'),
    progress: countField(map, 'progress', 'STATS_REPORT'),
    cpuMs: durationField(map, 'cpuMs', 'STATS_REPORT'),
    handOver: readHandOver(optionalMapField(map, 'handOver', 'STATS_REPORT')),
  }
}

function readHandOver(map: Metadata | null): HandOver | null {
  return (
    map && {
      tensors: countField(map, 'tensors', '`handOver`'),
      bytes: countField(map, 'bytes', '`handOver`'),
      copiedBytes: countField(map, 'copiedBytes', '`handOver`'),
      gatheredBytes: countField(map, 'gatheredBytes', '`handOver`'),
    }
  )
}
