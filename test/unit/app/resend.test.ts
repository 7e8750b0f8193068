import { expect, test } from 'vitest'
import type { TaskInput, TensorInput } from '../../../src/app/app.ts'
import { fingerprintOf } from '../../../src/app/resend.ts'
import type { ArtifactId } from '../../../src/store/records.ts'

const of = (task: TaskInput) => fingerprintOf({ model: 'm', task })
const tensor = (more: Partial<TensorInput>) =>
  of({ infer: { tensors: [{ name: 'x', dtype: 'float32', shape: [2], ...more }], outputs: null } })

test('what was left out and what is null are the same, in tensors and pictures', () => {
  expect(tensor({ values: [1, 2] })).toBe(tensor({ values: [1, 2], artifactId: null }))
  expect(of({ classifyImage: { image: { dataUrl: 'd' }, topK: 5 } })).toBe(
    of({ classifyImage: { topK: 5, image: { artifactId: null, dataUrl: 'd' } } }),
  )
})

test.each([
  ['other values', tensor({ values: [1, 3] })],
  ['another order', tensor({ values: [2, 1] })],
  ['another form', tensor({ values: [[1, 2]] })],
  ['texts', tensor({ values: ['1', '2'] })],
  ['an artifact', tensor({ artifactId: 1 as ArtifactId })],
  ['another artifact', tensor({ artifactId: 2 as ArtifactId })],
  ['another shape', tensor({ values: [1, 2], shape: [1, 2] })],
  ['files of a program', of({ program: { name: 'p', parameters: {}, artifactIds: [1 as ArtifactId] } })],
  ['no files', of({ program: { name: 'p', parameters: {} } })],
])('%s is another input', (_, other) => {
  expect(other).not.toBe(tensor({ values: [1, 2] }))
  expect(of({ program: { name: 'p', parameters: {}, artifactIds: [1 as ArtifactId] } })).not.toBe(
    of({ program: { name: 'p', parameters: {}, artifactIds: [2 as ArtifactId] } }),
  )
})

test('in which order the members of a map were written is the same, also behind a number', () => {
  const list = (last: object) => of({ program: { name: 'p', parameters: { list: [1, last] } } })
  expect(list({ a: 1, b: 2 })).toBe(list({ b: 2, a: 1 }))
  expect(list({ a: 1, b: 2 })).not.toBe(list({ a: 2, b: 1 }))
})

test('a null among the values of a program is data', () => {
  expect(of({ program: { name: 'p', parameters: { a: null } } })).not.toBe(
    of({ program: { name: 'p', parameters: {} } }),
  )
})

test('previews are part of the input, as they were sent', () => {
  const task = { textToImage: { prompt: 'an apple', count: 1 } }
  const previews = { everySteps: 5, maxWidth: 256 }
  const asked = fingerprintOf({ model: 'm', task, previews })
  expect(asked).toBe(fingerprintOf({ model: 'm', task, previews: { maxWidth: 256, everySteps: 5 } }))
  expect(asked).not.toBe(fingerprintOf({ model: 'm', task, previews: { ...previews, everySteps: 4 } }))
  expect(of(task)).not.toBe(asked)
  expect(of(task)).toBe(fingerprintOf({ model: 'm', task, previews: null }))
})

test('what earlier versions wrote down of an input without previews is the same today', () => {
  expect(of({ embedText: { texts: ['a'] } })).toBe('5ffee8bd34717e05d0e0e0382b7ca17eca31a6a813359ca0f6ed6769c66be359')
})
