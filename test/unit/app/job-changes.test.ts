import { expect, test } from 'vitest'
import { pausesUntil } from '../../../src/app/job-changes.ts'
import type { JobRecord } from '../../../src/store/records.ts'

const paused = (details: Partial<JobRecord>) => ({ pausedMs: 30, ...details }) as Partial<JobRecord> as JobRecord

test('a pause that is over adds to those before it, and leaves no cause behind', () => {
  expect(pausesUntil(120, paused({ pausedAt: 100, pauseCause: 'requested' }))).toEqual({
    pausedAt: null,
    pauseCause: null,
    pausedMs: 50,
  })
})

test('a job that is not paused has been paused as long as before', () => {
  expect(pausesUntil(120, paused({ pausedAt: null, pauseCause: null })).pausedMs).toBe(30)
})
