import { expect, test } from 'vitest'
import { Progress } from '../../../src/store/event-log/progress.ts'
import type { ArtifactId } from '../../../src/store/records.ts'
import { artifactRecord } from '../../support/artifacts.ts'

const bodiesOf = (progress: Progress, offsets = new Map<number, number>()) =>
  progress.bodies(offsets).map(({ body }) => body)

test('pieces of one text are joined, each item on its own, with offsets that go on from event to event', () => {
  const offsets = new Map<number, number>()
  const first = new Progress()
  first.addText(0, 'Once ')
  first.addText(1, 'Zwei')
  first.addText(0, 'upon')
  expect(bodiesOf(first, offsets)).toEqual([
    { kind: 'text', item: 0, offset: 0, text: 'Once upon' },
    { kind: 'text', item: 1, offset: 0, text: 'Zwei' },
  ])
  const second = new Progress()
  second.addText(0, ' a time')
  expect(bodiesOf(second, offsets)).toEqual([{ kind: 'text', item: 0, offset: 9, text: ' a time' }])
})

test('offsets count UTF-16 code units, as JavaScript clients do', () => {
  const offsets = new Map<number, number>()
  const first = new Progress()
  first.addText(0, '𝄞')
  bodiesOf(first, offsets)
  const second = new Progress()
  second.addText(0, '!')
  expect(bodiesOf(second, offsets)).toEqual([{ kind: 'text', item: 0, offset: 2, text: '!' }])
})

test('of steps the newest wins', () => {
  const progress = new Progress()
  progress.setStep(0, 1, 20)
  progress.setStep(0, 2, 20)
  expect(bodiesOf(progress)).toEqual([{ kind: 'step', item: 0, step: 2, totalSteps: 20 }])
})

test('of the previews of a picture the newest wins, and the others are given up at once', () => {
  const progress = new Progress()
  const heard: string[] = []
  const preview = (id: number) => ({
    step: id,
    artifact: artifactRecord({ id: id as ArtifactId }),
    settled: (end: string) => heard.push(`${id} ${end}`),
  })
  progress.setPreview(0, preview(5))
  progress.setPreview(1, preview(6))
  progress.setPreview(0, preview(10))
  expect(heard).toEqual(['5 dropped'])
  const bodies = progress.bodies(new Map())
  expect(bodies.map(({ body, artifacts }) => [body, artifacts.map(({ id }) => id)])).toEqual([
    [{ kind: 'preview', item: 0, step: 10, artifactId: 10 }, [10]],
    [{ kind: 'preview', item: 1, step: 6, artifactId: 6 }, [6]],
  ])
  bodies[0]?.committed?.()
  expect(heard).toEqual(['5 dropped', '10 committed'])
})

test('previews come after everything that may be seen before their commit', () => {
  const progress = new Progress()
  progress.setPreview(0, { step: 1, artifact: artifactRecord(), settled: () => {} })
  progress.setStep(0, 1, 20)
  progress.addText(0, 'text')
  expect(bodiesOf(progress).map(({ kind }) => kind)).toEqual(['text', 'step', 'preview'])
})

test('values are joined in order, at most 4096 to an event', () => {
  const progress = new Progress()
  const values = Array.from({ length: 10_000 }, (_, index) => index)
  for (let start = 0; start < values.length; start += 100)
    progress.addValues(values.slice(start, start + 100), undefined)
  const bodies = bodiesOf(progress)
  expect(bodies.map((body) => body.kind === 'values' && body.values.length)).toEqual([4096, 4096, 1808])
  expect(bodies.flatMap((body) => (body.kind === 'values' ? body.values : []))).toEqual(values)
})

test('each report of values hears of its commit once, with the event that has its last value', () => {
  const progress = new Progress()
  const heard: string[] = []
  progress.addValues(new Array(4000).fill('a'), (items) => heard.push(`first ${items}`))
  progress.addValues(new Array(200).fill('b'), undefined)
  progress.addValues(new Array(4000).fill('c'), (items) => heard.push(`third ${items}`))
  const [first, second, third] = progress.bodies(new Map())
  first?.committed?.()
  expect(heard).toEqual(['first 4000'])
  second?.committed?.()
  expect(heard).toEqual(['first 4000'])
  third?.committed?.()
  expect(heard).toEqual(['first 4000', 'third 4000'])
})
