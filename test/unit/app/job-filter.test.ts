import { expect, test } from 'vitest'
import { matchesFilter } from '../../../src/app/job-filter.ts'
import type { JobEvent, JobRecord } from '../../../src/store/records.ts'

const job = { sessionId: 3, class: 'batch', modelId: 1, taskKind: 'embedText', createdAt: 1000 } as unknown as JobRecord
const change = { from: 'QUEUED', to: 'RUNNING' } as unknown as JobEvent

test('a state is wanted whether the job leaves or enters it', () => {
  expect(matchesFilter({ states: ['QUEUED'] }, job, change)).toBe(true)
  expect(matchesFilter({ states: ['RUNNING', 'FAILED'] }, job, change)).toBe(true)
  expect(matchesFilter({ states: ['SUCCEEDED'] }, job, change)).toBe(false)
})

test('every named field must match', () => {
  expect(matchesFilter({ sessionId: 3 as never, class: 'batch', taskKind: 'embedText' }, job, change)).toBe(true)
  expect(matchesFilter({ sessionId: 3 as never, class: 'interactive' }, job, change)).toBe(false)
  expect(matchesFilter({ createdAfter: 1000 }, job, change)).toBe(false)
  expect(matchesFilter({ createdAfter: 999, createdBefore: 1001 }, job, change)).toBe(true)
})
