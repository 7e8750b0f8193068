import { expect, test } from 'vitest'
import { decodeOutput, encodeOutput, outputOfProgram } from '../../../src/app/outputs.ts'

test('a text survives the store', () => {
  const output = outputOfProgram('generateText', {
    text: 'red, grün, 🌈',
    finishReason: 'length',
    promptTokens: 7,
    completionTokens: 4,
  })
  expect(output).toEqual({
    kind: 'text',
    text: 'red, grün, 🌈',
    finishReason: 'LENGTH',
    promptTokens: 7,
    completionTokens: 4,
  })
  expect(decodeOutput(encodeOutput(output))).toEqual(output)
})

test('embeddings survive the store bit by bit, wherever their bytes began', () => {
  const floats = new Float32Array([0.1, -2, 3e-20, 4, 5, Number.MAX_VALUE])
  const shifted = new Uint8Array(floats.byteLength + 3)
  shifted.set(new Uint8Array(floats.buffer), 3)
  const output = outputOfProgram('embedText', {
    embeddings: { dtype: 'float32', shape: [2, 3], data: shifted.subarray(3) },
  })
  const again = decodeOutput(encodeOutput(output))
  expect(again).toEqual({
    kind: 'embeddings',
    count: 2,
    dimensions: 3,
    embeddings: [floats.subarray(0, 3), floats.subarray(3, 6)],
  })
})

test('a program that leaves out what it owes is caught by name', () => {
  expect(() => outputOfProgram('generateText', { finishReason: 'stop', promptTokens: 1, completionTokens: 1 })).toThrow(
    '"text"',
  )
  expect(() =>
    outputOfProgram('generateText', { text: '', finishReason: 'tired', promptTokens: 1, completionTokens: 1 }),
  ).toThrow('tired')
})
