import { expect, test } from 'vitest'
import { cancelJob } from '../../../src/app/cancel-job.ts'
import type { AppContext } from '../../../src/app/context.ts'
import { Conflict } from '../../../src/app/errors.ts'
import { JobCommands } from '../../../src/app/job-commands.ts'
import { JobProgress } from '../../../src/app/job-progress.ts'
import { LiveJobs } from '../../../src/app/live-jobs.ts'
import { decodeOutput } from '../../../src/app/outputs/stored-output.ts'
import { TaskResults } from '../../../src/app/task-results.ts'
import { ArtifactsClosed, ResultGivenUp } from '../../../src/app/waiting-results.ts'
import type { StoredContent } from '../../../src/runtime/artifacts/artifact-files.ts'
import type { ProgramOutput } from '../../../src/runtime/workers/tensors.ts'
import type { DeviceId, JobId, TaskId, WorkerId } from '../../../src/scheduler/ids.ts'
import type { JobEventLog } from '../../../src/store/job-events.ts'
import type {
  ArtifactId,
  ArtifactRecord,
  JobEventBody,
  JobPatch,
  JobRecord,
  JobState,
  TaskKind,
  TaskRecord,
} from '../../../src/store/records.ts'
import { artifactRecord } from '../../support/artifacts.ts'

const jobId = 1 as JobId
const earlierId = 1 as TaskId
const taskId = 2 as TaskId

interface Change {
  readonly to: JobState
  readonly body: JobEventBody
  readonly patch: JobPatch
  readonly failure: string | null
  readonly output: Uint8Array | undefined
  readonly artifacts: readonly ArtifactRecord[] | undefined
}

const runningJob = {
  id: jobId,
  state: 'RUNNING',
  createdAt: 0,
  progressDone: 0,
  progressTotal: null,
  progressUnit: null,
  loadingAt: null,
  startedAt: 5,
  postprocessingAt: null,
  pausedAt: null,
  pausedMs: 0,
  pausedWaitingMs: 0,
  cancelRequestedAt: null,
  idempotencyKey: null,
} as Partial<JobRecord> as JobRecord
const task = { jobId, program: 'p', components: [], item: 0, stage: 'inference', isHeld: false } as const
const twoTasks: readonly TaskRecord[] = [
  { ...task, id: earlierId, node: 'm', after: [] },
  { ...task, id: taskId, node: 'n', after: [earlierId] },
]

/** One live job, a log that commits at once, and a disk that writes a file when it is told to. */
class Stage {
  readonly live = new LiveJobs(10)
  readonly results = new TaskResults()
  readonly changes: Change[] = []
  readonly lost: unknown[] = []
  readonly settled: { committed: StoredContent[]; discarded: StoredContent[] } = { committed: [], discarded: [] }
  readonly #disk: PromiseWithResolvers<void> = Promise.withResolvers()
  readonly commands: JobCommands
  readonly progress = new JobProgress()
  /** Tasks that need not run again. */
  readonly done = new Set<TaskId>()
  /** Steps behind the checkpoints of tasks. */
  readonly saved = new Map<TaskId, number>()
  readonly forgotten: JobId[] = []
  shownText = ''
  readonly withdrawn: (readonly number[])[] = []
  /** Null: commits come in the same turn. */
  #commit: Promise<void> | null = null
  released = 0

  constructor(taskKind: TaskKind, tasks: readonly TaskRecord[] = twoTasks, request: string | null = null) {
    this.live.add({ ...runningJob, taskKind }, tasks, request)
    const changeState: JobEventLog['changeState'] = async (job, body, to, patch, output, artifacts) => {
      const failure = patch.failure ? `${patch.failure.code}: ${patch.failure.message}` : null
      this.changes.push({ to, body, patch, failure, output, artifacts })
      if (this.#commit) await this.#commit
      Object.assign(job, patch, { state: to })
    }
    this.commands = new JobCommands({
      live: this.live,
      log: {
        changeState,
        withdrawPreviews: async (_, items) => {
          this.withdrawn.push(items)
          return []
        },
      },
      results: this.results,
      progress: this.progress,
      checkpoints: { stepOf: (_, id) => this.saved.get(id) ?? 0, forget: (id) => this.forgotten.push(id) },
      previews: { forget: (id) => this.forgotten.push(id) },
      isDone: (id) => this.done.has(id),
      readRequest: async () => request,
      readShownText: async () => this.shownText,
      artifacts: {
        prepare: async (source, { mimeType }) => {
          await this.#disk.promise
          let sizeBytes = 0
          for await (const piece of source()) sizeBytes += piece.byteLength
          return artifactRecord({ id: 9 as ArtifactId, mimeType, sizeBytes, width: 2, height: 2 })
        },
        committed: (records) => this.settled.committed.push(...records),
        discard: async (records) => {
          this.settled.discarded.push(...records)
        },
        removeFiles: () => {},
      },
      inlineTensorBytesMax: 16,
      onLost: (error) => this.lost.push(error),
    })
  }

  /** 32 bytes in shared memory. */
  tensor(): ProgramOutput {
    const pieces = async function* () {
      yield new Uint8Array(32)
    }
    const release = () => {
      this.released += 1
    }
    return { dtype: 'float32', shape: [8], region: { sizeBytes: 32, pieces, release } }
  }

  succeeds(output: ProgramOutput): void {
    this.results.putOutput(taskId, output)
    this.commands.carryOut({ type: 'jobSucceeded', jobId, taskId }, 100)
  }

  get record(): JobRecord {
    return this.live.get(jobId)!.record
  }

  /** From now on commits wait. */
  holdCommits(): { readonly release: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#commit = promise
    return { release: resolve }
  }

  diskWrites(): void {
    this.#disk.resolve()
  }
  diskFails(error: Error): void {
    this.#disk.reject(error)
  }
}

test('an end without files is told in the same turn', () => {
  const stage = new Stage('program')
  stage.succeeds({ values: { answer: 42 } })
  expect(stage.changes.map(({ to }) => to)).toEqual(['SUCCEEDED'])
  expect(stage.commands.finishing).toBe(0)
})

test('an end with a file waits for it, and its row goes with the end', async () => {
  const stage = new Stage('infer')
  stage.succeeds({ tensors: [{ name: 'y', tensor: stage.tensor() }] })
  expect(stage.changes).toEqual([])
  expect(stage.commands.finishing).toBe(1)
  expect(stage.live.get(jobId)?.record.state).toBe('RUNNING')
  stage.diskWrites()
  await stage.commands.finished()
  const [change] = stage.changes
  expect(change).toMatchObject({ to: 'SUCCEEDED', artifacts: [{ id: 9, sizeBytes: 32 }] })
  expect(change?.output && decodeOutput(change.output)).toMatchObject({ tensors: [{ artifactId: 9, values: null }] })
  expect(stage.settled.committed).toMatchObject([{ id: 9 }])
  expect(stage.live.get(jobId)).toBeNull()
  expect(stage.released).toBe(1)
  expect(stage.lost).toEqual([])
})

test('a file that cannot be written fails the job, and says so', async () => {
  const stage = new Stage('infer')
  stage.succeeds({ tensors: [{ name: 'y', tensor: stage.tensor() }] })
  stage.diskFails(new Error('The disk is gone.'))
  await stage.commands.finished()
  expect(stage.changes).toMatchObject([
    { to: 'FAILED', failure: expect.stringMatching(/^INTERNAL: .*The disk is gone/) },
  ])
  expect(stage.released).toBe(1)
})

test('when the server ends before the file is written, nothing is said: the job runs again', async () => {
  const stage = new Stage('infer')
  stage.succeeds({ tensors: [{ name: 'y', tensor: stage.tensor() }] })
  stage.diskFails(new ArtifactsClosed())
  await stage.commands.finished()
  expect(stage.changes).toEqual([])
  expect(stage.live.get(jobId)?.record.state).toBe('RUNNING')
  expect(stage.released).toBe(1)
  expect(stage.lost).toEqual([])
})

test('a program that breaks its contract fails its job in the same turn, and gives its memory back', () => {
  const stage = new Stage('infer')
  stage.succeeds({ tensors: [{ name: 'y', tensor: { ...stage.tensor(), shape: [3] } }] })
  expect(stage.changes).toMatchObject([
    { to: 'FAILED', failure: expect.stringMatching(/^ENGINE_ERROR: The program broke its contract: .*"y"/) },
  ])
  expect(stage.released).toBe(1)
})

test('a cancelled job keeps what its program gave, and one that keeps no output is cancelled all the same', async () => {
  const kept = new Stage('infer')
  kept.results.putOutput(taskId, { tensors: [{ name: 'y', tensor: kept.tensor() }] })
  kept.commands.carryOut({ type: 'jobCancelled', jobId }, 100)
  kept.diskWrites()
  await kept.commands.finished()
  expect(kept.changes).toMatchObject([{ to: 'CANCELLED', artifacts: [{ id: 9 }] }])

  const broken = new Stage('infer')
  broken.results.putOutput(taskId, { rest: broken.tensor() })
  broken.commands.carryOut({ type: 'jobCancelled', jobId }, 100)
  expect(broken.changes).toMatchObject([{ to: 'CANCELLED', output: undefined }])
  expect([kept.released, broken.released]).toEqual([1, 1])
})

test('a cancelled job of two tasks keeps what the later one gave, and gives back the rest', async () => {
  const stage = new Stage('infer')
  for (const id of [earlierId, taskId])
    stage.results.putOutput(id, { tensors: [{ name: String(id), tensor: stage.tensor() }] })
  stage.commands.carryOut({ type: 'jobCancelled', jobId }, 100)
  stage.diskWrites()
  await stage.commands.finished()
  const [change] = stage.changes
  expect(change?.output && decodeOutput(change.output)).toMatchObject({ tensors: [{ name: String(taskId) }] })
  expect(stage.released).toBe(2)
})

test('an attempt that is repeated gives back what it had given', () => {
  const stage = new Stage('infer')
  stage.results.putOutput(taskId, { y: stage.tensor() })
  stage.commands.carryOut(
    {
      type: 'jobRequeued',
      jobId,
      attempt: 2,
      cause: 'worker_lost',
      exit: null,
      fromStep: 0,
      failedAttempts: 0,
      deathsAlone: 0,
    },
    100,
  )
  expect(stage.released).toBe(1)
  expect(stage.changes.map(({ to }) => to)).toEqual(['QUEUED'])
})

test('an output that replaces another, or that nobody takes, gives its memory back', () => {
  const stage = new Stage('infer')
  stage.results.putOutput(taskId, { y: stage.tensor() })
  stage.results.putOutput(taskId, { y: stage.tensor() })
  expect(stage.released).toBe(1)
  stage.commands.carryOut({ type: 'jobFailed', jobId, code: 'DEADLINE_EXCEEDED', retryable: true, taskId: null }, 100)
  expect(stage.released).toBe(2)
})

test('a result that is given up while it waits for room on the disk ends its job as cancelled', async () => {
  const stage = new Stage('infer')
  stage.succeeds({ tensors: [{ name: 'y', tensor: stage.tensor() }] })
  stage.diskFails(new ResultGivenUp())
  await stage.commands.finished()
  expect(stage.changes).toMatchObject([{ to: 'CANCELLED', output: undefined, failure: null }])
  expect(stage.live.get(jobId)).toBeNull()
  expect(stage.released).toBe(1)
})

test('a cancel that comes while the file is written is taken, and the job succeeds all the same', async () => {
  const stage = new Stage('infer')
  const { live } = stage
  const context = {
    live,
    clock: { now: () => 120 },
    store: { recordCancelRequest: async () => {}, readJob: async () => live.record(jobId) },
    shell: { feed: () => {} },
    artifacts: { giveUp: () => {} },
  } as unknown as AppContext
  stage.succeeds({ tensors: [{ name: 'y', tensor: stage.tensor() }] })
  expect(await cancelJob(context, jobId)).toMatchObject({ state: 'RUNNING', cancelRequestedAt: 120 })
  stage.diskWrites()
  await stage.commands.finished()
  expect(stage.changes.map(({ to }) => to)).toEqual(['SUCCEEDED'])
  expect(await cancelJob(context, jobId)).toBeInstanceOf(Conflict)
})

test('a start that was announced comes before the end that waits', async () => {
  const stage = new Stage('infer')
  stage.commands.carryOut(
    { type: 'jobStarted', jobId, attempt: 1, deviceId: 1 as DeviceId, workerId: 1 as WorkerId },
    50,
  )
  stage.succeeds({ tensors: [{ name: 'y', tensor: stage.tensor() }] })
  stage.diskWrites()
  await stage.commands.finished()
  expect(stage.changes.map(({ to }) => to)).toEqual(['RUNNING', 'SUCCEEDED'])
})

const paused = { type: 'jobPaused', jobId, cause: 'requested' } as const
const resumed = { type: 'jobResumed', jobId, deviceId: 1 as DeviceId } as const
const started = { type: 'jobStarted', jobId, attempt: 1, deviceId: 1 as DeviceId, workerId: 1 as WorkerId } as const
const requeued = {
  type: 'jobRequeued',
  jobId,
  attempt: 2,
  cause: 'worker_lost',
  exit: 'signal',
  fromStep: 0,
  failedAttempts: 0,
  deathsAlone: 0,
} as const

test('a pause says where the job stopped, and its time is no running', async () => {
  const stage = new Stage('generateText')
  Object.assign(stage.record, { progressDone: 7, progressTotal: 20, progressUnit: 'TOKENS' })
  stage.commands.carryOut(paused, 100)
  expect(stage.changes[0]).toMatchObject({
    to: 'PAUSED',
    body: { kind: 'paused', cause: 'requested', message: 'Paused after 7 of 20 tokens.' },
    patch: { pausedAt: 100, pauseCause: 'requested' },
  })
  stage.commands.carryOut(resumed, 130)
  expect(stage.changes[1]).toMatchObject({
    to: 'RUNNING',
    body: { kind: 'resumed', deviceId: 1 },
    patch: { pausedAt: null, pauseCause: null, pausedMs: 30 },
  })
})

test('pauses add up, also while their commits are still being made', () => {
  const stage = new Stage('generateText')
  stage.holdCommits()
  for (const [pausedAt, resumedAt] of [
    [100, 110],
    [200, 220],
  ] as const) {
    stage.commands.carryOut(paused, pausedAt)
    stage.commands.carryOut(resumed, resumedAt)
  }
  expect(stage.changes.map(({ to }) => to)).toEqual(['PAUSED', 'RUNNING', 'PAUSED', 'RUNNING'])
  expect(stage.changes.at(-1)?.patch.pausedMs).toBe(30)
})

test('a job that was paused before a restart is not paused once more', () => {
  const stage = new Stage('generateText')
  Object.assign(stage.record, { state: 'PAUSED', pausedAt: 50 })
  stage.commands.carryOut(paused, 100)
  expect(stage.changes).toEqual([])
  stage.commands.carryOut({ ...resumed, deviceId: null }, 110)
  expect(stage.changes).toMatchObject([{ to: 'QUEUED', patch: { pausedMs: 60, deviceId: null } }])
})

test('a pause before the start is no waiting, and goes on in the queue', () => {
  const stage = new Stage('generateText')
  Object.assign(stage.record, { state: 'QUEUED', startedAt: null })
  stage.commands.carryOut(paused, 10)
  stage.commands.carryOut({ ...resumed, deviceId: null }, 110)
  stage.commands.carryOut(started, 120)
  expect(stage.changes.map(({ to }) => to)).toEqual(['PAUSED', 'QUEUED', 'RUNNING'])
  expect(stage.changes[0]?.body).toMatchObject({ message: 'Paused while it waited; nothing had run.' })
  expect(stage.changes[2]?.patch).toMatchObject({ startedAt: 120, pausedWaitingMs: 100 })
})

test('a job that was offloaded while it was paused keeps the time of its start', () => {
  const stage = new Stage('generateText')
  stage.commands.carryOut(paused, 10)
  stage.commands.carryOut({ ...resumed, deviceId: null }, 110)
  stage.commands.carryOut({ type: 'jobLoading', jobId, attempt: 1, deviceId: 1 as DeviceId }, 120)
  stage.commands.carryOut(started, 130)
  expect(stage.changes.at(-1)?.patch).toMatchObject({ startedAt: 5 })
  expect(stage.changes.at(-1)?.patch).not.toHaveProperty('pausedWaitingMs')
})

test('a pause during postprocessing goes on there, and is not counted as either', () => {
  const stage = new Stage('upscaleImage')
  stage.commands.carryOut({ type: 'jobPostprocessing', jobId }, 50)
  stage.commands.carryOut(paused, 60)
  stage.commands.carryOut(resumed, 100)
  expect(stage.changes.map(({ to }) => to)).toEqual(['POSTPROCESSING', 'PAUSED', 'POSTPROCESSING'])
  expect(stage.changes[1]?.body).toMatchObject({ message: 'Paused during postprocessing.' })
  expect(stage.changes[2]?.patch).toMatchObject({ postprocessingAt: 90, pausedMs: 40 })
})

test('the last pause of a job that ends in it is counted', () => {
  const stage = new Stage('generateText')
  stage.commands.carryOut(paused, 100)
  stage.commands.carryOut({ type: 'jobCancelled', jobId }, 150)
  expect(stage.changes.at(-1)).toMatchObject({
    to: 'CANCELLED',
    patch: { pausedAt: null, pausedMs: 50, finishedAt: 150 },
  })
})

const request = JSON.stringify({
  textToImage: { prompt: 'a pear', count: 2, seed: 7 },
  terms: { format: 'png', previews: null, safety: { policy: 'block', threshold: 0.8 } },
})
const pictureTasks = [0, 1].flatMap((item): TaskRecord[] => {
  const id = (place: number) => (10 * (item + 1) + place) as TaskId
  return [
    { ...task, id: id(0), node: 'denoise', program: 'denoise', after: [], item, isHeld: true },
    { ...task, id: id(1), node: 'check', program: 'check_picture', after: [id(0)], item, stage: 'postprocessing' },
    { ...task, id: id(2), node: 'write', program: 'write_picture', after: [id(0)], item, stage: 'postprocessing' },
  ]
})

/** What the tasks of a picture give. */
function give(stage: Stage, item: number, score: number): void {
  stage.results.putOutput((10 * (item + 1)) as TaskId, {})
  stage.results.putOutput((10 * (item + 1) + 1) as TaskId, { score, checkedBy: 'open-nsfw' })
  stage.results.putOutput((10 * (item + 1) + 2) as TaskId, {
    picture: { dtype: 'uint8', shape: [4], data: Uint8Array.of(1, 2, 3, 4) },
    mimeType: 'image/png',
    width: 2,
    height: 2,
  })
}

test('a job of two pictures that are both unsafe fails in words that a user understands', async () => {
  const stage = new Stage('textToImage', pictureTasks, request)
  for (const item of [0, 1]) give(stage, item, 0.9)
  stage.commands.carryOut({ type: 'jobSucceeded', jobId, taskId: 22 as TaskId }, 100)
  await stage.commands.finished()
  expect(stage.changes).toMatchObject([
    { to: 'FAILED', failure: expect.stringMatching(/^UNSAFE_CONTENT: All 2 pictures were withheld/) },
  ])
  expect(stage.forgotten).toEqual([jobId, jobId])
  expect(stage.withdrawn).toEqual([[0, 1]])
})

test('a cancelled text that no worker holds is kept as far as it was shown', async () => {
  const stage = new Stage('generateText')
  Object.assign(stage.record, { state: 'PAUSED', attempt: 1, progressDone: 3, progressUnit: 'TOKENS' })
  stage.shownText = 'Once upon'
  stage.commands.carryOut({ type: 'jobCancelled', jobId }, 100)
  await stage.commands.finished()
  const [{ to, output } = {}] = stage.changes as Partial<Change>[]
  expect(to).toBe('CANCELLED')
  expect(output && decodeOutput(output)).toMatchObject({
    kind: 'text',
    text: 'Once upon',
    finishReason: 'CANCELLED',
    completionTokens: 3,
  })
})

test('where a job stopped is told by what its tasks reported last, before the log has shown it', () => {
  const stage = new Stage('generateText')
  const job = stage.live.get(jobId)!
  stage.progress.take(job, taskId, { done: 9, total: 20, unit: 'TOKENS' })
  stage.commands.carryOut({ type: 'jobCancelled', jobId }, 100)
  expect(stage.changes[0]?.body).toMatchObject({ progressDone: 9, message: 'Cancelled after 9 of 20 tokens.' })
})

test('a job that waits to go on is not told as one of which nothing had run', () => {
  const stage = new Stage('program')
  Object.assign(stage.record, { state: 'QUEUED', startedAt: null, attempt: 2, progressDone: 5, progressTotal: 20 })
  stage.commands.carryOut({ type: 'jobCancelled', jobId }, 100)
  expect(stage.changes[0]?.body).toMatchObject({ message: 'Cancelled while it waited, after 5 of 20 steps.' })
})

test('what a withheld picture looked like on its way is withheld too', async () => {
  const stage = new Stage('textToImage', pictureTasks, request)
  for (const item of [0, 1]) give(stage, item, item === 0 ? 0.1 : 0.9)
  stage.diskWrites()
  stage.commands.carryOut({ type: 'jobSucceeded', jobId, taskId: 22 as TaskId }, 100)
  await stage.commands.finished()
  expect(stage.changes).toMatchObject([{ to: 'SUCCEEDED' }])
  expect(stage.withdrawn).toEqual([[1]])
})

test('of a cancelled job of pictures it is told how many were finished, and none is kept', async () => {
  const stage = new Stage('textToImage', pictureTasks, request)
  Object.assign(stage.record, { progressDone: 27, progressTotal: 40, progressUnit: 'STEPS' })
  give(stage, 0, 0.1)
  stage.commands.carryOut({ type: 'jobCancelled', jobId }, 100)
  expect(stage.commands.finishing).toBe(0)
  expect(stage.changes).toMatchObject([
    {
      to: 'CANCELLED',
      output: undefined,
      artifacts: undefined,
      body: { message: 'Cancelled after 27 of 40 steps; 1 of 2 pictures were finished, none is kept.' },
    },
  ])
  expect(stage.results.hasOutput(12 as TaskId)).toBe(false)
})

test('what is done stays done when a job begins again, and the rest goes on from its checkpoints', () => {
  const stage = new Stage('textToImage', pictureTasks, request)
  const job = stage.live.get(jobId)!
  const step = { total: 20, unit: 'STEPS' } as const
  stage.progress.take(job, 10 as TaskId, { ...step, done: 20 })
  stage.progress.take(job, 20 as TaskId, { ...step, done: 8 })
  give(stage, 0, 0.1)
  for (const id of [10, 11, 12]) stage.done.add(id as TaskId)
  stage.saved.set(20 as TaskId, 5)
  stage.commands.carryOut(requeued, 100)
  expect(stage.changes[0]).toMatchObject({
    to: 'QUEUED',
    body: { kind: 'requeued', fromStep: 5 },
    patch: { progressDone: 25, startedAt: null, postprocessingAt: null },
  })
  expect(stage.results.hasOutput(12 as TaskId)).toBe(true)
  expect(stage.results.hasOutput(21 as TaskId)).toBe(false)
})

test('pauses of a lost attempt are waiting of the next', () => {
  const stage = new Stage('generateText')
  stage.commands.carryOut(paused, 100)
  stage.commands.carryOut(resumed, 140)
  stage.commands.carryOut(requeued, 150)
  expect(stage.changes.at(-1)?.patch).toMatchObject({ pausedMs: 40, pausedWaitingMs: 40, pausedAt: null })
})
