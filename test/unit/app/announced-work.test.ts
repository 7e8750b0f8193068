import { expect, test } from 'vitest'
import { announcedWork } from '../../../src/app/announced-work.ts'

const picture = { prompt: '', negativePrompt: '', guidance: 1, seed: 1, upscale: 1 }
const text = { temperature: 0, topP: 1, stop: [], seed: 1 }

test('a picture announces its steps, by its size and for each that is asked for', () => {
  expect(announcedWork({ textToImage: { ...picture, width: 128, height: 64, steps: 10, count: 3 } })).toBe(60)
})

test('a text announces the tokens of its prompt and those that it may make', () => {
  expect(announcedWork({ generateText: { ...text, prompt: 'x'.repeat(40), maxTokens: 16 } })).toBe(26)
  const messages = ['x'.repeat(8), 'ä'].map((content) => ({ role: 'USER' as const, content }))
  expect(announcedWork({ generateText: { ...text, messages, maxTokens: 1 } })).toBe(3.5)
})

test('texts to embed are counted, and what cannot be told beforehand is one unit', () => {
  expect(announcedWork({ embedText: { texts: ['a', 'b', 'c'] } })).toBe(3)
  expect(announcedWork({ program: { name: 'sleep', parameters: {} } })).toBe(1)
})
