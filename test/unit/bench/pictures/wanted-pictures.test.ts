import { expect, test } from 'vitest'
import { drawPictures, meanSteps } from '../../../../bench/pictures/wanted-pictures.ts'

test('the same seed draws the same pictures, another one others', () => {
  expect(drawPictures(20, 7)).toEqual(drawPictures(20, 7))
  expect(drawPictures(20, 8)).not.toEqual(drawPictures(20, 7))
})

test('steps are from 8 to 30, both included, 19 in the mean', () => {
  const pictures = drawPictures(20_000, 1)
  const steps = pictures.map((picture) => picture.steps)
  expect(Math.min(...steps)).toBe(8)
  expect(Math.max(...steps)).toBe(30)
  expect(meanSteps(pictures)).toBeCloseTo(19, 0)
})

test('gaps are those of strangers: one in the mean, and longer than that for one in e', () => {
  const gaps = drawPictures(20_000, 1).map(({ gap }) => gap)
  expect(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toBeCloseTo(1, 1)
  expect(gaps.filter((gap) => gap > 1).length / gaps.length).toBeCloseTo(1 / Math.E, 1)
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0)
})
