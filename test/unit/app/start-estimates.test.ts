import { expect, test } from 'vitest'
import { StartEstimates } from '../../../src/app/start-estimates.ts'
import type { JobId } from '../../../src/scheduler/ids.ts'

const job = (id: number) => id as JobId

test('the first time that somebody was told is compared with the start', () => {
  const estimates = new StartEstimates()
  expect(estimates.error()).toBeNull()
  estimates.told(job(1), 100)
  estimates.told(job(1), 140)
  estimates.started(job(1), 150)
  expect(estimates.error()).toEqual({ count: 1, medianMs: 50, p90AbsoluteMs: 50 })
})

test('early and late are told apart by the median, not by what nine of ten stay within', () => {
  const estimates = new StartEstimates()
  for (const [id, error] of [-80, -20, -10, 0, 5].entries()) {
    estimates.told(job(id), 1000)
    estimates.started(job(id), 1000 + error)
  }
  expect(estimates.error()).toEqual({ count: 5, medianMs: -10, p90AbsoluteMs: 80 })
})

test('jobs that nobody asked about, that start again, or that were paused or ended first count for nothing', () => {
  const estimates = new StartEstimates()
  estimates.started(job(1), 150)
  estimates.told(job(2), 100)
  estimates.forget(job(2))
  estimates.started(job(2), 500)
  expect(estimates.error()).toBeNull()
})
