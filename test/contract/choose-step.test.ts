/** The step rule in TypeScript and in Python give the same answers: each is tested against the same vectors. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { TaskStage } from '../../src/scheduler/events.ts'
import { chooseStep, type ReadyTask, type StepChoice, type StepPolicy } from '../../src/simulator/choose-step.ts'

interface Vector {
  readonly name: string
  readonly now: number
  readonly ready: readonly ReadyTask[]
  readonly policies: Readonly<Record<string, StepPolicy>>
  readonly first: TaskStage | null
  readonly result: StepChoice
}

const file: { readonly vectors: readonly Vector[] } = JSON.parse(
  readFileSync(new URL('choose-step.json', import.meta.url), 'utf8'),
)

test.each(file.vectors)('$name', ({ now, ready, policies, first, result }) => {
  const byModel = new Map(Object.entries(policies).map(([model, policy]) => [Number(model), policy]))
  expect(chooseStep(ready, byModel, now, first)).toEqual(result)
  expect(chooseStep([...ready].reverse(), byModel, now, first)).toEqual(result)
})

test('there are vectors', () => {
  expect(file.vectors.length).toBeGreaterThan(60)
})

test('a task of a model without a policy is a mistake', () => {
  const task: ReadyTask = {
    task: 1,
    model: 9,
    batchKey: '',
    class: 'interactive',
    order: 1,
    readySince: 0,
    stage: 'inference',
  }
  expect(() => chooseStep([task], new Map(), 0)).toThrow('no policy')
})
