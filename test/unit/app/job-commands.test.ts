import { expect, test } from 'vitest'
import { cancelJob } from '../../../src/app/cancel-job.ts'
import type { AppContext } from '../../../src/app/context.ts'
import { Conflict } from '../../../src/app/errors.ts'
import { JobCommands } from '../../../src/app/job-commands.ts'
import { LiveJobs } from '../../../src/app/live-jobs.ts'
import { decodeOutput } from '../../../src/app/outputs/stored-output.ts'
import { TaskResults } from '../../../src/app/task-results.ts'
import { ArtifactsClosed, ResultGivenUp } from '../../../src/app/waiting-results.ts'
import type { StoredContent } from '../../../src/runtime/artifacts/artifact-files.ts'
import type { ProgramOutput } from '../../../src/runtime/workers/tensors.ts'
import type { DeviceId, JobId, TaskId, WorkerId } from '../../../src/scheduler/ids.ts'
import type { JobEventLog } from '../../../src/store/job-events.ts'
import type { ArtifactId, ArtifactRecord, JobRecord, JobState, TaskKind } from '../../../src/store/records.ts'
import { artifactRecord } from '../../support/artifacts.ts'

const jobId = 1 as JobId
const earlierId = 1 as TaskId
const taskId = 2 as TaskId

interface Change {
  readonly to: JobState
  readonly failure: string | null
  readonly output: Uint8Array | undefined
  readonly artifacts: readonly ArtifactRecord[] | undefined
}

/** One live job, a log that commits at once, and a disk that writes a file when it is told to. */
class Stage {
  readonly live = new LiveJobs(10)
  readonly results = new TaskResults()
  readonly changes: Change[] = []
  readonly lost: unknown[] = []
  readonly settled: { committed: StoredContent[]; discarded: StoredContent[] } = { committed: [], discarded: [] }
  readonly #disk: PromiseWithResolvers<void> = Promise.withResolvers()
  readonly commands: JobCommands
  released = 0

  constructor(taskKind: TaskKind) {
    const record = {
      id: jobId,
      taskKind,
      state: 'RUNNING',
      progressDone: 0,
      startedAt: 5,
      cancelRequestedAt: null,
      idempotencyKey: null,
    } as JobRecord
    const task = { jobId, program: 'p', components: [] }
    const tasks = [
      { ...task, id: earlierId, node: 'm', after: [] },
      { ...task, id: taskId, node: 'n', after: [earlierId] },
    ]
    this.live.add(record, tasks, null)
    const changeState: JobEventLog['changeState'] = async (job, _, to, patch, output, artifacts) => {
      job.state = to
      const failure = patch.failure ? `${patch.failure.code}: ${patch.failure.message}` : null
      this.changes.push({ to, failure, output, artifacts })
    }
    this.commands = new JobCommands({
      live: this.live,
      log: { changeState } as JobEventLog,
      results: this.results,
      artifacts: {
        prepare: async (source, { mimeType }) => {
          await this.#disk.promise
          let sizeBytes = 0
          for await (const piece of source()) sizeBytes += piece.byteLength
          return artifactRecord({ id: 9 as ArtifactId, mimeType, sizeBytes })
        },
        committed: (records) => this.settled.committed.push(...records),
        discard: async (records) => {
          this.settled.discarded.push(...records)
        },
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
