/** Fields of what programs give, each read as what it must be. Everything here throws BrokenContract. */
import { elementCount, type FixedDtype, isFixedDtype, itemBytes } from '../../runtime/workers/dtypes.ts'
import { isLargeTensor, type LargeTensor, type ProgramOutput, type Tensor } from '../../runtime/workers/tensors.ts'

/** The program gave something else than it owes; the message says what. */
export class BrokenContract extends Error {
  override readonly name = 'BrokenContract'
}

/** A tensor of any size, of a dtype whose elements have a fixed size. */
export interface AnyTensor {
  readonly dtype: FixedDtype
  readonly shape: readonly number[]
  readonly sizeBytes: number
  readonly source: Uint8Array | LargeTensor['region']
}
/** A file's bytes, and what they are. */
export interface FileWords {
  readonly mimeType: string
  readonly tensor: AnyTensor
}

const mediaType = /^[\w.+-]{1,60}\/[\w.+-]{1,60}(; ?[\w.+-]{1,40}=[\w.+-]{1,80}){0,4}$/

/** Bytes under `name`, as they are or as a tensor of uint8, with their `mimeType` beside them. */
export function fileOf(fields: ProgramOutput, name: string): FileWords {
  const mimeType = textOf(fields, 'mimeType')
  if (!mediaType.test(mimeType)) throw new BrokenContract(`${JSON.stringify(mimeType.slice(0, 80))} is no media type.`)
  const value = fields[name]
  const tensor = value instanceof Uint8Array ? bytesTensor(value) : tensorOf(value, name)
  if (tensor.dtype !== 'uint8') throw new BrokenContract(`the ${JSON.stringify(name)} of a file must be uint8.`)
  return { mimeType, tensor }
}

export function tensorOf(value: unknown, name: string): AnyTensor {
  const tensor = readTensor(value)
  if (!tensor) throw new BrokenContract(`its output has no tensor ${JSON.stringify(name)}.`)
  if (tensor.sizeBytes !== elementCount(tensor.shape) * itemBytes[tensor.dtype])
    throw new BrokenContract(`the bytes of its tensor ${JSON.stringify(name)} do not fit its shape.`)
  return tensor
}

/** Null for what is none. */
export function readTensor(value: unknown): AnyTensor | null {
  if (typeof value !== 'object' || value === null || !('dtype' in value) || !('shape' in value)) return null
  if (!isLargeTensor(value) && !('data' in value)) return null
  const { dtype, shape } = value as Tensor | LargeTensor
  if (!isFixedDtype(dtype)) return null
  if (isLargeTensor(value)) return { dtype, shape, sizeBytes: value.region.sizeBytes, source: value.region }
  const { data } = value as Tensor
  return data instanceof Uint8Array ? { dtype, shape, sizeBytes: data.byteLength, source: data } : null
}

export function listOf(output: ProgramOutput, name: string, lengthMax: number): readonly unknown[] {
  const value = output[name]
  if (!Array.isArray(value) || value.length > lengthMax)
    throw new BrokenContract(`its output has no list ${JSON.stringify(name)} of at most ${lengthMax}.`)
  return value
}

/** `where`: what it lies in. */
export function mapOf(value: unknown, where: string): ProgramOutput {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new BrokenContract(`${JSON.stringify(where)} in its output holds something that is no map.`)
}

export function textOf(output: ProgramOutput, name: string): string {
  const value = output[name]
  if (typeof value !== 'string') throw new BrokenContract(`its output has no text ${JSON.stringify(name)}.`)
  return value
}

export function integerOf(output: ProgramOutput, name: string): number {
  const value = output[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new BrokenContract(`its output has no integer ${JSON.stringify(name)}.`)
  return value
}

/** `what`: whose number it is. */
export function numberOf(output: ProgramOutput, name: string, what: string): number {
  const value = output[name]
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new BrokenContract(`${what} in its output has no finite number ${JSON.stringify(name)}.`)
  return value
}

function bytesTensor(data: Uint8Array): AnyTensor {
  return { dtype: 'uint8', shape: [data.byteLength], sizeBytes: data.byteLength, source: data }
}
