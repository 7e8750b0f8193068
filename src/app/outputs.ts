/** What a job gives: from the program's own words to the API's, and to the bytes that the store keeps. */
import { pack, unpack } from 'msgpackr'
import type { TaskKind } from '../store/records.ts'
import type { JobOutput } from './app.ts'

/** A tensor as the worker sent it; `data` is little endian. */
export interface OutputTensor {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data: Uint8Array
}

/** The output map of a program. Throws when the program broke its contract. */
export function outputOfProgram(taskKind: TaskKind, output: Readonly<Record<string, unknown>>): JobOutput {
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
      const tensor = float32Matrix(output, 'embeddings')
      const [count = 0, dimensions = 0] = tensor.shape
      return { kind: 'embeddings', count, dimensions, embeddings: rows(tensor.data, count, dimensions) }
    }
    case 'program':
      // The API promises a value; a program that says nothing says the empty map.
      return { kind: 'program', values: output['values'] ?? {} }
    default:
      return taskKind satisfies never
  }
}

export function encodeOutput(output: JobOutput): Uint8Array {
  if (output.kind !== 'embeddings') return pack(output)
  const { kind, count, dimensions, embeddings } = output
  const data = new Float32Array(count * dimensions)
  for (const [row, embedding] of embeddings.entries()) data.set(embedding, row * dimensions)
  return pack({ kind, count, dimensions, data: Buffer.from(data.buffer) })
}

export function decodeOutput(bytes: Uint8Array): JobOutput {
  const stored: JobOutput | { kind: 'embeddings'; count: number; dimensions: number; data: Uint8Array } = unpack(bytes)
  if (!('data' in stored)) return stored
  const { kind, count, dimensions, data } = stored
  return { kind, count, dimensions, embeddings: rows(data, count, dimensions) }
}

function rows(data: Uint8Array, count: number, dimensions: number): Float32Array[] {
  // A copy, because a view of float32 must begin at a multiple of four and the bytes come from the middle of a message.
  // Not `slice`, which on a Buffer is a view of the whole pool.
  const floats = new Float32Array(new Uint8Array(data).buffer)
  return Array.from({ length: count }, (_, row) => floats.subarray(row * dimensions, (row + 1) * dimensions))
}

function float32Matrix(output: Readonly<Record<string, unknown>>, name: string): OutputTensor {
  const value = output[name]
  const isTensor =
    typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value && 'data' in value
  const tensor = isTensor ? (value as OutputTensor) : null
  const [count = -1, dimensions = -1, ...more] = tensor?.shape ?? []
  if (tensor?.dtype !== 'float32' || more.length > 0 || tensor.data.byteLength !== count * dimensions * 4)
    throw new Error(`The program's output has no float32 matrix ${JSON.stringify(name)}.`)
  return tensor
}

function finishReason(word: string): 'STOP' | 'LENGTH' | 'CANCELLED' {
  if (word === 'stop') return 'STOP'
  if (word === 'length') return 'LENGTH'
  if (word === 'cancelled') return 'CANCELLED'
  throw new Error(`generate_text ended with an unknown finishReason: ${JSON.stringify(word)}.`)
}

function text(output: Readonly<Record<string, unknown>>, name: string): string {
  const value = output[name]
  if (typeof value !== 'string') throw new Error(`The program's output has no text ${JSON.stringify(name)}.`)
  return value
}

function integer(output: Readonly<Record<string, unknown>>, name: string): number {
  const value = output[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new Error(`The program's output has no integer ${JSON.stringify(name)}.`)
  return value
}
