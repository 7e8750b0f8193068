/** A program's output as it must be for its kind of task, read field by field. */

import { elementCount, itemBytes, listCount } from '../../runtime/workers/dtypes.ts'
import type { ProgramOutput } from '../../runtime/workers/tensors.ts'
import type { TaskKind } from '../../store/records.ts'
import type { JobOutput } from '../app.ts'
import { nestedListsMax, valuesOfBytes } from '../tensors/values.ts'
import {
  type AnyTensor,
  BrokenContract,
  type FileWords,
  fileOf,
  integerOf,
  listOf,
  mapOf,
  numberOf,
  readTensor,
  tensorOf,
  textOf,
} from './output-fields.ts'

/** Kinds whose output is that of one program; pictures come from several tasks (`finish-pictures.ts`). */
export type OneProgramKind = Exclude<TaskKind, 'textToImage' | 'upscaleImage'>

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
      readonly files: readonly FileWords[]
    }

const labelsMax = 1000
const tensorsMax = 1000
const filesMax = 100

/** Throws BrokenContract. */
export function readOutput(taskKind: OneProgramKind, output: ProgramOutput): ProgramWords {
  switch (taskKind) {
    case 'generateText':
      return {
        kind: 'text',
        text: textOf(output, 'text'),
        finishReason: finishReason(textOf(output, 'finishReason')),
        promptTokens: integerOf(output, 'promptTokens'),
        completionTokens: integerOf(output, 'completionTokens'),
      }
    case 'embedText': {
      const tensor = tensorOf(output['embeddings'], 'embeddings')
      const [count, dimensions, ...more] = tensor.shape
      if (tensor.dtype !== 'float32' || count === undefined || dimensions === undefined || more.length > 0)
        throw new BrokenContract('its output has no float32 matrix "embeddings".')
      return { kind: 'embeddings', count, dimensions, tensor }
    }
    case 'classifyImage':
      return { kind: 'classification', labels: listOf(output, 'labels', labelsMax).map(scoredLabel) }
    case 'infer':
      return { kind: 'tensors', tensors: listOf(output, 'tensors', tensorsMax).map(namedTensor) }
    case 'program':
      return {
        kind: 'program',
        // The API promises a value; a program that says nothing says the empty map.
        values: plainValues(output['values'] ?? {}),
        files:
          output['artifacts'] == null
            ? []
            : listOf(output, 'artifacts', filesMax).map((entry) => fileOf(mapOf(entry, 'artifacts'), 'data')),
      }
    default:
      return taskKind satisfies never
  }
}

function scoredLabel(entry: unknown): { label: string; score: number } {
  const fields = mapOf(entry, 'labels')
  return { label: textOf(fields, 'label'), score: numberOf(fields, 'score', 'a label') }
}

function namedTensor(entry: unknown): { name: string; tensor: AnyTensor | TextTensor } {
  const fields = mapOf(entry, 'tensors')
  const name = textOf(fields, 'name')
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
