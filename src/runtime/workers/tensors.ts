/**
 * What a program gives back: a map of plain values in which tensors may stand anywhere. On the wire a tensor is `{dtype, shape, span}`, its bytes
 * in the frame's payload; here it becomes `{dtype, shape, data}` with a copy of its own, so that nothing keeps a frame alive. One whose bytes are
 * elsewhere (PROTOCOL.md section 9) becomes `{dtype, shape, region}`.
 */
import { isFixedDtype, itemBytes } from './dtypes.ts'
import type { FramePayload } from './frame-payload.ts'
import { countField, isMap, listField, type Metadata, mapField, textField } from './metadata.ts'
import { ProtocolError } from './protocol-error.ts'

/** `data` is little endian and begins at a multiple of eight bytes in its buffer, so any typed array may view it. */
export interface Tensor {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data: Uint8Array
}
/** A tensor that is too large for a frame's payload: its bytes lie in a region that whoever takes the output must release, once. */
export interface LargeTensor {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly region: TensorRegion
}
/** Bytes in shared memory or in a file, filled by a worker that does not touch them any more. */
export interface TensorRegion {
  readonly sizeBytes: number
  /** From the beginning to the end; each piece belongs to the reader until it asks for the next. */
  pieces(): AsyncIterable<Uint8Array>
  /** The memory may be filled again. A second call does nothing. */
  release(): void
}
export type ProgramOutput = Readonly<Record<string, unknown>>

/** Finds the bytes that a frame refers to and does not hold. Both throw ProtocolError when the worker cannot refer to them. */
export interface LargeTensors {
  slab(reference: SlabReference): TensorRegion
  transfer(reference: TransferReference): TensorRegion
}
export interface SlabReference {
  readonly slabId: number
  readonly generation: number
  readonly offset: number
  readonly length: number
}
export interface TransferReference {
  readonly id: number
  readonly length: number
}

/** Where only what is in the frame may be referred to. */
export const noLargeTensors: LargeTensors = { slab: refuseLarge, transfer: refuseLarge }

function refuseLarge(): never {
  throw new ProtocolError('metadata', 'Only an output may hold tensors that are not in the payload.')
}

/** Releases every region in a value: to be called by whoever drops an output that may hold large tensors. */
export function releaseRegions(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return
  if (isLargeTensor(value)) value.region.release()
  else for (const item of Object.values(value)) releaseRegions(item)
}

/** A worker may call a field of its own `region`, but it cannot send a function. */
export function isLargeTensor(value: object): value is LargeTensor {
  return 'region' in value && 'dtype' in value && 'shape' in value && isRegion(value.region)
}

function isRegion(value: unknown): value is TensorRegion {
  return typeof value === 'object' && value !== null && 'release' in value && typeof value.release === 'function'
}

/** As deep as what a caller may send. Without a limit one value could use up the stack. */
const depthMax = 64

export function materializeOutput(output: Metadata, payload: FramePayload, large: LargeTensors): ProgramOutput {
  return materializeFields(output, payload, large, 0)
}

/** Tensors get their bytes; integers that JavaScript's numbers cannot hold become decimal text, as the API shows them. */
export function materialize(value: unknown, payload: FramePayload, large: LargeTensors, depth = 0): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (depth > depthMax)
    throw new ProtocolError('metadata', `An output or item may not be nested deeper than ${depthMax} levels.`)
  if (Array.isArray(value)) return value.map((item) => materialize(item, payload, large, depth + 1))
  if (!isMap(value))
    throw new ProtocolError(
      'metadata',
      'An output may hold maps, lists, texts, numbers, bytes, true, false and nil, and nothing else.',
    )
  return isTensor(value) ? tensor(value, payload, large) : materializeFields(value, payload, large, depth)
}

function materializeFields(fields: Metadata, payload: FramePayload, large: LargeTensors, depth: number): ProgramOutput {
  const result: Record<string, unknown> = {}
  for (const name in fields) result[name] = materialize(fields[name], payload, large, depth + 1)
  return result
}

function isTensor(map: Metadata): boolean {
  return 'dtype' in map && 'shape' in map && ('span' in map || 'slab' in map || 'transfer' in map)
}

function tensor(map: Metadata, payload: FramePayload, large: LargeTensors): Tensor | LargeTensor {
  const dtype = textField(map, 'dtype', 'a tensor')
  const shape = listField(map, 'shape', 'a tensor').map(dimension)
  if ('span' in map) {
    const data = payload.copy(mapField(map, 'span', 'a tensor'))
    requireLength(dtype, shape, data.length)
    return { dtype, shape, data }
  }
  // The length is looked at before anything is claimed, so that nothing is left claimed by a tensor that is refused.
  if ('slab' in map) {
    const reference = slabReference(mapField(map, 'slab', 'a tensor'))
    requireLength(dtype, shape, reference.length)
    return { dtype, shape, region: large.slab(reference) }
  }
  const reference = transferReference(mapField(map, 'transfer', 'a tensor'))
  requireLength(dtype, shape, reference.length)
  return { dtype, shape, region: large.transfer(reference) }
}

function slabReference(map: Metadata): SlabReference {
  return {
    slabId: countField(map, 'slabId', 'a slab'),
    generation: countField(map, 'generation', 'a slab'),
    offset: countField(map, 'offset', 'a slab'),
    length: countField(map, 'length', 'a slab'),
  }
}

function transferReference(map: Metadata): TransferReference {
  return { id: countField(map, 'id', 'a transfer'), length: countField(map, 'length', 'a transfer') }
}

function requireLength(dtype: string, shape: readonly number[], lengthBytes: number): void {
  if (!isFixedDtype(dtype))
    throw new ProtocolError(
      'metadata',
      `\`dtype\` of a tensor must be one of ${Object.keys(itemBytes).join(', ')}, not ${JSON.stringify(dtype)}.`,
    )
  const expectedBytes = shape.reduce<number>((count, length) => count * length, itemBytes[dtype])
  if (lengthBytes !== expectedBytes)
    throw new ProtocolError(
      'metadata',
      `A ${dtype} tensor of shape [${shape.join(', ')}] takes ${expectedBytes} bytes; its span has ${lengthBytes}.`,
    )
}

function dimension(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new ProtocolError('metadata', '`shape` of a tensor must be a list of integers from 0.')
}
