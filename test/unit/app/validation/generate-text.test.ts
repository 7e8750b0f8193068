import { expect, test } from 'vitest'
import { generateTextForWorker, normaliseGenerateText } from '../../../../src/app/validation/generate-text.ts'
import { Problems } from '../../../../src/app/validation/problems.ts'
import type { Manifest } from '../../../../src/runtime/models/manifest.ts'

const manifest = {
  defaults: { maxTokens: 64, temperature: 0.2, topP: 0.9, stop: ['###'] },
  limits: { maxTokens: 512 },
} as unknown as Manifest

function normalise(input: Parameters<typeof normaliseGenerateText>[0], promptBytesMax = 100) {
  const problems = new Problems('task.generateText')
  const request = normaliseGenerateText(input, manifest, promptBytesMax, () => 42, problems)
  return { request, paths: problems.found.map(({ path }) => path) }
}

test('what is not given comes from the manifest, and a seed is drawn', () => {
  expect(normalise({ prompt: 'Hello' })).toEqual({
    paths: [],
    request: { prompt: 'Hello', maxTokens: 64, temperature: 0.2, topP: 0.9, stop: ['###'], seed: 42 },
  })
})

test('zero is a temperature, not a missing one', () => {
  expect(normalise({ prompt: 'Hello', temperature: 0, seed: 0 }).request).toMatchObject({ temperature: 0, seed: 0 })
})

test('every problem is named at once, each by its path', () => {
  const { paths } = normalise({
    prompt: ' ',
    maxTokens: -3,
    temperature: Number.NaN,
    topP: 0,
    stop: ['', 'x'.repeat(300)],
    seed: -1,
  })
  expect(paths).toEqual(
    ['prompt', 'maxTokens', 'temperature', 'topP', 'stop.0', 'stop.1', 'seed'].map(
      (name) => `task.generateText.${name}`,
    ),
  )
})

test('a prompt is counted in UTF-8 bytes', () => {
  expect(normalise({ prompt: 'ü'.repeat(50) }).paths).toEqual([])
  expect(normalise({ prompt: 'ü'.repeat(51) }).paths).toEqual(['task.generateText.prompt'])
})

test('exactly one of prompt and messages is taken', () => {
  expect(normalise({}).paths).toEqual(['task.generateText.prompt'])
  expect(normalise({ prompt: 'a', messages: [{ role: 'USER', content: 'b' }] }).paths).toEqual([
    'task.generateText.prompt',
  ])
  expect(normalise({ messages: [{ role: 'ASSISTANT', content: 'b' }] }).paths).toEqual([
    'task.generateText.messages.0.role',
  ])
})

test('half of a surrogate pair never reaches a tokenizer', () => {
  expect(normalise({ prompt: 'a\ud800' }).paths).toEqual(['task.generateText.prompt'])
})

test('a prompt reaches the worker as one user message', () => {
  expect(generateTextForWorker({ prompt: 'Hi', maxTokens: 3 })).toEqual({
    maxTokens: 3,
    messages: [{ role: 'user', content: 'Hi' }],
  })
  expect(generateTextForWorker({ messages: [{ role: 'SYSTEM', content: 'Be brief.' }] })).toEqual({
    messages: [{ role: 'system', content: 'Be brief.' }],
  })
})
