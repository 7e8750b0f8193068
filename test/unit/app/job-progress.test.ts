import { expect, test } from 'vitest'
import { JobProgress } from '../../../src/app/job-progress.ts'
import { type LiveJob, LiveJobs } from '../../../src/app/live-jobs.ts'
import type { JobId, TaskId } from '../../../src/scheduler/ids.ts'
import type { JobRecord, TaskRecord } from '../../../src/store/records.ts'

function jobOf(...programs: readonly string[]): LiveJob {
  const record = { id: 1 as JobId, idempotencyKey: null } as JobRecord
  const tasks = programs.map((program, index): TaskRecord => {
    const rest = { components: [], after: [], item: index, stage: 'inference', isHeld: false } as const
    return { id: (index + 1) as TaskId, jobId: record.id, node: program, program, ...rest }
  })
  return new LiveJobs(1).add(record, tasks, null)
}
const [first, second, third] = [1, 2, 3] as TaskId[] as [TaskId, TaskId, TaskId]

test('a job of one task is as far as its task', () => {
  expect(new JobProgress().take(jobOf('generate_text'), first, { done: 7, total: null })).toEqual({
    done: 7,
    total: null,
  })
})

test('the steps of all pictures count together, and what comes before them does not', () => {
  const progress = new JobProgress()
  const job = jobOf('encode_text', 'denoise', 'denoise')
  expect(progress.take(job, first, { done: 1, total: 1 })).toBeNull()
  expect(progress.take(job, second, { done: 3, total: 20 })).toEqual({ done: 3, total: 40 })
  expect(progress.take(job, third, { done: 1, total: 20 })).toEqual({ done: 4, total: 40 })
  expect(progress.take(job, second, { done: 4, total: 20 })).toEqual({ done: 5, total: 40 })
})

test('a job that begins again counts from its checkpoints, and what is done as it is', () => {
  const progress = new JobProgress()
  const job = jobOf('denoise', 'denoise', 'denoise')
  progress.take(job, first, { done: 20, total: 20 })
  progress.take(job, second, { done: 9, total: 20 })
  expect(progress.restart(job, (id) => (id === first ? null : id === second ? 5 : 0))).toBe(25)
  expect(progress.take(job, third, { done: 1, total: 20 })).toEqual({ done: 26, total: 60 })
})

test('a job whose steps are not counted together has no count of its own', () => {
  expect(new JobProgress().restart(jobOf('generate_text'), () => 0)).toBeNull()
})

test('of a job that has ended nothing is kept', () => {
  const progress = new JobProgress()
  const job = jobOf('denoise')
  progress.take(job, first, { done: 9, total: 20 })
  progress.forget(job.record.id)
  expect(progress.take(job, first, { done: 1, total: 20 })).toEqual({ done: 1, total: 20 })
})
