import { expect, test } from 'vitest'
import type { AppContext } from '../../../src/app/context.ts'
import { Conflict, NotFound, Overloaded } from '../../../src/app/errors.ts'
import { LiveJobs } from '../../../src/app/live-jobs.ts'
import { pauseJob, resumeJob } from '../../../src/app/pause-job.ts'
import type { SchedulerEvent } from '../../../src/scheduler/events.ts'
import type { JobId } from '../../../src/scheduler/ids.ts'
import type { JobRecord } from '../../../src/store/records.ts'
import { StoreOverloaded } from '../../../src/store/store.ts'

const jobId = 1 as JobId

/** One job, and a store whose writes can be made to wait or to be refused. */
class Stage {
  readonly live = new LiveJobs(1)
  readonly record: JobRecord
  readonly wishes: (number | null)[] = []
  readonly told: SchedulerEvent['type'][] = []
  written: Promise<void> = Promise.resolve()
  refusal: Error | null = null
  readonly context: AppContext

  constructor(details: Partial<JobRecord> = {}) {
    const plain = { state: 'RUNNING', cancelRequestedAt: null, pauseRequestedAt: null, idempotencyKey: null } as const
    this.record = { ...plain, id: jobId, ...details } as Partial<JobRecord> as JobRecord
    this.live.add(this.record, [], null)
    this.context = {
      live: this.live,
      clock: { now: () => 120 },
      store: {
        recordPauseRequest: async (_: JobId, at: number | null) => {
          await this.written
          if (this.refusal) throw this.refusal
          this.wishes.push(at)
        },
        readJob: async (id: JobId) => (id === jobId ? this.record : null),
      },
      shell: { feed: ({ type }: SchedulerEvent) => this.told.push(type) },
    } as unknown as AppContext
  }
}

test('a pause is answered when the wish is written, and the scheduler hears of it only then', async () => {
  const stage = new Stage()
  const { promise, resolve } = Promise.withResolvers<void>()
  stage.written = promise
  const answer = pauseJob(stage.context, jobId)
  expect([stage.wishes, stage.told]).toEqual([[], []])
  resolve()
  expect(await answer).toMatchObject({ id: jobId, pauseRequestedAt: 120 })
  expect([stage.wishes, stage.told]).toEqual([[120], ['pauseRequested']])
})

test('pausing twice succeeds and is written once', async () => {
  const stage = new Stage()
  await pauseJob(stage.context, jobId)
  expect(await pauseJob(stage.context, jobId)).toMatchObject({ pauseRequestedAt: 120 })
  expect(stage.told).toEqual(['pauseRequested'])
})

test('a job that is paused, or was asked to be, goes on', async () => {
  const stage = new Stage()
  await pauseJob(stage.context, jobId)
  expect(await resumeJob(stage.context, jobId)).toMatchObject({ pauseRequestedAt: null })
  expect(stage.wishes).toEqual([120, null])
  expect(stage.told).toEqual(['pauseRequested', 'resumeRequested'])
})

test('resuming twice succeeds while the job is still paused', async () => {
  const stage = new Stage({ state: 'PAUSED', pauseRequestedAt: 100 })
  await resumeJob(stage.context, jobId)
  expect(await resumeJob(stage.context, jobId)).toMatchObject({ id: jobId })
})

test('a pause that is asked for while a resume is being written follows it', async () => {
  const stage = new Stage({ state: 'PAUSED', pauseRequestedAt: 100 })
  const answers = await Promise.all([resumeJob(stage.context, jobId), pauseJob(stage.context, jobId)])
  expect(answers).toEqual([stage.record, stage.record])
  expect(stage.record.pauseRequestedAt).toBe(120)
  expect([stage.wishes, stage.told]).toEqual([
    [null, 120],
    ['resumeRequested', 'pauseRequested'],
  ])
})

test('a resume that is asked for while a pause is being written follows it', async () => {
  const stage = new Stage()
  const answers = await Promise.all([pauseJob(stage.context, jobId), resumeJob(stage.context, jobId)])
  expect(answers).toEqual([stage.record, stage.record])
  expect(stage.record.pauseRequestedAt).toBeNull()
  expect([stage.wishes, stage.told]).toEqual([
    [120, null],
    ['pauseRequested', 'resumeRequested'],
  ])
})

test('a wish that could not be written does not keep the next one from being judged', async () => {
  const stage = new Stage()
  stage.refusal = new StoreOverloaded('storage', 250, 'Commits fail.')
  const [paused, resumed] = await Promise.all([pauseJob(stage.context, jobId), resumeJob(stage.context, jobId)])
  expect(paused).toBeInstanceOf(Overloaded)
  expect(resumed).toBeInstanceOf(Conflict)
})

test('a job that nobody has asked to pause cannot be resumed', async () => {
  const answer = await resumeJob(new Stage().context, jobId)
  expect(answer).toBeInstanceOf(Conflict)
  expect(answer).toMatchObject({ message: expect.stringContaining('RUNNING') })
})

test('a job that is being cancelled is not paused', async () => {
  const stage = new Stage({ cancelRequestedAt: 90 })
  expect(await pauseJob(stage.context, jobId)).toBeInstanceOf(Conflict)
  expect(stage.wishes).toEqual([])
})

test.for([
  ['SUCCEEDED', 'already succeeded'],
  ['FAILED', 'already failed'],
  ['CANCELLED', 'already been cancelled'],
] as const)('a job that is %s can be neither paused nor resumed', async ([state, words]) => {
  const stage = new Stage({ state })
  stage.live.end(jobId)
  for (const wish of [pauseJob, resumeJob]) {
    const answer = await wish(stage.context, jobId)
    expect(answer).toBeInstanceOf(Conflict)
    expect(answer).toMatchObject({ message: expect.stringContaining(words) })
  }
})

test('a job that ends while the wish is written was not paused', async () => {
  const stage = new Stage()
  const { promise, resolve } = Promise.withResolvers<void>()
  stage.written = promise
  const answer = pauseJob(stage.context, jobId)
  stage.record.state = 'SUCCEEDED'
  resolve()
  expect(await answer).toBeInstanceOf(Conflict)
})

test('an unknown job is not found', async () => {
  for (const wish of [pauseJob, resumeJob]) expect(await wish(new Stage().context, 9 as JobId)).toBeInstanceOf(NotFound)
})

test('a store that cannot write refuses, and nothing is paused', async () => {
  const stage = new Stage()
  stage.refusal = new StoreOverloaded('storage', 250, 'Commits fail.')
  expect(await pauseJob(stage.context, jobId)).toBeInstanceOf(Overloaded)
  expect(stage.record.pauseRequestedAt).toBeNull()
  expect(stage.told).toEqual([])
})
