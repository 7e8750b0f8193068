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
  expect(new JobProgress().take(jobOf('generate_text'), first, { done: 7, total: null, unit: 'STEPS' })).toEqual({
    done: 7,
    total: null,
    unit: 'STEPS',
  })
})

test('the steps of all pictures count together, and what comes before them does not', () => {
  const progress = new JobProgress()
  const job = jobOf('encode_text', 'denoise', 'denoise')
  expect(progress.take(job, first, { done: 1, total: 1, unit: 'STEPS' })).toBeNull()
  expect(progress.take(job, second, { done: 3, total: 20, unit: 'STEPS' })).toEqual({
    done: 3,
    total: 40,
    unit: 'STEPS',
  })
  expect(progress.take(job, third, { done: 1, total: 20, unit: 'STEPS' })).toEqual({
    done: 4,
    total: 40,
    unit: 'STEPS',
  })
  expect(progress.take(job, second, { done: 4, total: 20, unit: 'STEPS' })).toEqual({
    done: 5,
    total: 40,
    unit: 'STEPS',
  })
})

test('a job that begins again counts from its checkpoints, and what is done as it is', () => {
  const progress = new JobProgress()
  const job = jobOf('denoise', 'denoise', 'denoise')
  progress.take(job, first, { done: 20, total: 20, unit: 'STEPS' })
  progress.take(job, second, { done: 9, total: 20, unit: 'STEPS' })
  expect(progress.restart(job, (id) => (id === first ? null : id === second ? 5 : 0))).toEqual({
    done: 25,
    fromStep: 0,
  })
  expect(progress.take(job, third, { done: 1, total: 20, unit: 'STEPS' })).toEqual({
    done: 26,
    total: 60,
    unit: 'STEPS',
  })
})

test('a job whose pictures are all done goes on behind their last step', () => {
  const progress = new JobProgress()
  const job = jobOf('denoise')
  progress.take(job, first, { done: 20, total: 20, unit: 'STEPS' })
  expect(progress.restart(job, () => null)).toEqual({ done: 20, fromStep: 20 })
})

test('a job whose steps are not counted together has no count of its own', () => {
  expect(new JobProgress().restart(jobOf('generate_text'), () => 0)).toBeNull()
})

test('of a job that has ended nothing is kept', () => {
  const progress = new JobProgress()
  const job = jobOf('denoise')
  progress.take(job, first, { done: 9, total: 20, unit: 'STEPS' })
  progress.forget(job.record.id)
  expect(progress.take(job, first, { done: 1, total: 20, unit: 'STEPS' })).toEqual({
    done: 1,
    total: 20,
    unit: 'STEPS',
  })
})
