/** What a worker says of large tensors (PROTOCOL.md section 9). All readers throw ProtocolError. */
import type { Frame } from './frame.ts'
import { asMap, countField, decodeMetadata, listField } from './metadata.ts'
import { ProtocolError } from './protocol-error.ts'

/** So many tensors of at most so many bytes found no room. */
export interface SlabRequest {
  readonly kind: 'slabRequest'
  readonly sizeBytes: number
  readonly count: number
}
/** `data` is a view of the frame: it holds only until the next bytes are read. */
export interface Chunk {
  readonly kind: 'chunk'
  readonly transfer: number
  readonly offset: number
  readonly totalBytes: number
  readonly data: Buffer
}
/** A slab, under the generation that it was granted or returned with. */
export interface SlabName {
  readonly slabId: number
  readonly generation: number
}
/** The worker has let go of them. */
export interface SlabsDropped {
  readonly kind: 'slabsDropped'
  readonly slabs: readonly SlabName[]
}

export function readSlabRequest(frame: Frame): SlabRequest {
  const map = decodeMetadata(frame.meta, 'SLAB_REQUEST')
  return {
    kind: 'slabRequest',
    sizeBytes: countField(map, 'sizeBytes', 'SLAB_REQUEST'),
    count: countField(map, 'count', 'SLAB_REQUEST'),
  }
}

export function readChunk(frame: Frame): Chunk {
  const map = decodeMetadata(frame.meta, 'CHUNK')
  const transfer = countField(map, 'transfer', 'CHUNK')
  const offset = countField(map, 'offset', 'CHUNK')
  const totalBytes = countField(map, 'totalBytes', 'CHUNK')
  const data = frame.payload
  if (data.length === 0 || offset + data.length > totalBytes)
    throw new ProtocolError(
      'metadata',
      `A CHUNK of ${data.length} bytes at ${offset} cannot be part of a transfer of ${totalBytes} bytes.`,
    )
  return { kind: 'chunk', transfer, offset, totalBytes, data }
}

export function readSlabsDropped(frame: Frame): SlabsDropped {
  const map = decodeMetadata(frame.meta, 'SLABS_DROPPED')
  const slabs = listField(map, 'slabs', 'SLABS_DROPPED').map((value) => {
    const slab = asMap(value, 'a slab of SLABS_DROPPED')
    return {
      slabId: countField(slab, 'slabId', 'SLABS_DROPPED'),
      generation: countField(slab, 'generation', 'SLABS_DROPPED'),
    }
  })
  return { kind: 'slabsDropped', slabs }
}
