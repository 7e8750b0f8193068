/** A program's output as it must be for its kind of task, read field by field. */

import { elementCount, type FixedDtype, isFixedDtype, itemBytes, listCount } from '../../runtime/workers/dtypes.ts'
import { isLargeTensor, type LargeTensor, type ProgramOutput, type Tensor } from '../../runtime/workers/tensors.ts'
import type { TaskKind } from '../../store/records.ts'
import type { JobOutput } from '../app.ts'
import { nestedListsMax, valuesOfBytes } from '../tensors/values.ts'

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
/** Texts in row-major order. */
export interface TextTensor {
  readonly shape: readonly number[]
  readonly texts: readonly string[]
}

/** Texts and labels are the API's already; tensors and files have still to become values or artifacts. */
export type ProgramWords =
  | Extract<JobOutput, { kind: 'text' | 'classification' }>
  | {
      readonly kind: 'embeddings'
      readonly count: number
      readonly dimensions: number
      readonly tensor: AnyTensor
    }
  | {
      readonly kind: 'tensors'
      readonly tensors: readonly { readonly name: string; readonly tensor: AnyTensor | TextTensor }[]
    }
  | {
      readonly kind: 'program'
      readonly values: unknown
      readonly files: readonly { readonly mimeType: string; readonly tensor: AnyTensor }[]
    }

const labelsMax = 1000
const tensorsMax = 1000
const filesMax = 100
const mimeType = /^[\w.+-]{1,60}\/[\w.+-]{1,60}(; ?[\w.+-]{1,40}=[\w.+-]{1,80}){0,4}$/

/** Throws BrokenContract. */
export function readOutput(taskKind: TaskKind, output: ProgramOutput): ProgramWords {
  switch (taskKind) {
    case 'generateText':
      return {
        kind: 'text',
        text: text(output, 'text'),
        finishReason: finishReason(text(output, 'finishReason')),
        promptTokens: integer(output, 'promptTokens'),
        completionTokens: integer(output, 'completionTokens'),
      }
    case 'embedText': {
      const tensor = tensorOf(output['embeddings'], 'embeddings')
      const [count, dimensions, ...more] = tensor.shape
      if (tensor.dtype !== 'float32' || count === undefined || dimensions === undefined || more.length > 0)
        throw new BrokenContract('its output has no float32 matrix "embeddings".')
      return { kind: 'embeddings', count, dimensions, tensor }
    }
    case 'classifyImage':
      return { kind: 'classification', labels: list(output, 'labels', labelsMax).map(scoredLabel) }
    case 'infer':
      return { kind: 'tensors', tensors: list(output, 'tensors', tensorsMax).map(namedTensor) }
    case 'program':
      return {
        kind: 'program',
        // The API promises a value; a program that says nothing says the empty map.
        values: plainValues(output['values'] ?? {}),
        files: output['artifacts'] == null ? [] : list(output, 'artifacts', filesMax).map(file),
      }
    default:
      return taskKind satisfies never
  }
}

function scoredLabel(entry: unknown): { label: string; score: number } {
  const fields = map(entry, 'labels')
  const { score } = fields
  if (typeof score !== 'number' || !Number.isFinite(score))
    throw new BrokenContract('a label in its output has no finite number "score".')
  return { label: text(fields, 'label'), score }
}

function namedTensor(entry: unknown): { name: string; tensor: AnyTensor | TextTensor } {
  const fields = map(entry, 'tensors')
  const name = text(fields, 'name')
  return { name, tensor: fields['dtype'] === 'string' ? textTensor(fields, name) : tensorOf(fields['tensor'], name) }
}

function textTensor(fields: ProgramOutput, name: string): TextTensor {
  const { shape, values } = fields
  const isShape = Array.isArray(shape) && shape.every((length) => Number.isSafeInteger(length) && length >= 0)
  const texts = Array.isArray(values) && values.every((value) => typeof value === 'string') ? values : null
  if (!isShape || !texts || elementCount(shape) !== texts.length)
    throw new BrokenContract(`the texts of its tensor ${JSON.stringify(name)} do not fit a shape.`)
  return { shape, texts }
}

function file(entry: unknown): { mimeType: string; tensor: AnyTensor } {
  const fields = map(entry, 'artifacts')
  const type = text(fields, 'mimeType')
  if (!mimeType.test(type)) throw new BrokenContract(`${JSON.stringify(type.slice(0, 80))} is no media type.`)
  const { data } = fields
  const tensor = data instanceof Uint8Array ? bytesTensor(data) : tensorOf(data, 'data')
  if (tensor.dtype !== 'uint8') throw new BrokenContract('the "data" of an artifact must be uint8.')
  return { mimeType: type, tensor }
}

function bytesTensor(data: Uint8Array): AnyTensor {
  return { dtype: 'uint8', shape: [data.byteLength], sizeBytes: data.byteLength, source: data }
}

function tensorOf(value: unknown, name: string): AnyTensor {
  const tensor = readTensor(value)
  if (!tensor) throw new BrokenContract(`its output has no tensor ${JSON.stringify(name)}.`)
  if (tensor.sizeBytes !== elementCount(tensor.shape) * itemBytes[tensor.dtype])
    throw new BrokenContract(`the bytes of its tensor ${JSON.stringify(name)} do not fit its shape.`)
  return tensor
}

/** Null for what is none. */
function readTensor(value: unknown): AnyTensor | null {
  if (typeof value !== 'object' || value === null || !('dtype' in value) || !('shape' in value)) return null
  if (!isLargeTensor(value) && !('data' in value)) return null
  const { dtype, shape } = value as Tensor | LargeTensor
  if (!isFixedDtype(dtype)) return null
  if (isLargeTensor(value)) return { dtype, shape, sizeBytes: value.region.sizeBytes, source: value.region }
  const { data } = value as Tensor
  return data instanceof Uint8Array ? { dtype, shape, sizeBytes: data.byteLength, source: data } : null
}

/** Small tensors among a third party's values are shown as values; large ones belong under `artifacts`. */
function plainValues(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array)
    throw new BrokenContract('its values hold bytes, which JSON cannot show; give a text, or an artifact.')
  if (Array.isArray(value)) return value.map(plainValues)
  const tensor = readTensor(value)
  if (!tensor) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plainValues(member)]))
  const { dtype, shape, source, sizeBytes } = tensor
  if (!(source instanceof Uint8Array))
    throw new BrokenContract(`its values hold a tensor of ${sizeBytes} bytes; large ones are to be artifacts.`)
  if (sizeBytes !== elementCount(shape) * itemBytes[dtype] || listCount(shape) > nestedListsMax)
    throw new BrokenContract(`its values hold ${sizeBytes} bytes of ${dtype} in the shape [${shape.join(', ')}].`)
  return { dtype, shape, values: valuesOfBytes(dtype, shape, source) }
}

function finishReason(word: string): 'STOP' | 'LENGTH' | 'CANCELLED' {
  if (word === 'stop') return 'STOP'
  if (word === 'length') return 'LENGTH'
  if (word === 'cancelled') return 'CANCELLED'
  throw new BrokenContract(`it ended with an unknown finishReason: ${JSON.stringify(word)}.`)
}

function list(output: ProgramOutput, name: string, lengthMax: number): readonly unknown[] {
  const value = output[name]
  if (!Array.isArray(value) || value.length > lengthMax)
    throw new BrokenContract(`its output has no list ${JSON.stringify(name)} of at most ${lengthMax}.`)
  return value
}

function map(value: unknown, where: string): ProgramOutput {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new BrokenContract(`${JSON.stringify(where)} in its output holds something that is no map.`)
}

function text(output: ProgramOutput, name: string): string {
  const value = output[name]
  if (typeof value !== 'string') throw new BrokenContract(`its output has no text ${JSON.stringify(name)}.`)
  return value
}

function integer(output: ProgramOutput, name: string): number {
  const value = output[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new BrokenContract(`its output has no integer ${JSON.stringify(name)}.`)
  return value
}
