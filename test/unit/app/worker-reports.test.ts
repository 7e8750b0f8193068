import { expect, test } from 'vitest'
import type { CatalogueEntry } from '../../../src/app/catalogue.ts'
import { EngineTrouble } from '../../../src/app/engine-trouble.ts'
import { JobProgress } from '../../../src/app/job-progress.ts'
import { LiveJobs } from '../../../src/app/live-jobs.ts'
import type { Preview } from '../../../src/app/previews.ts'
import { TaskResults } from '../../../src/app/task-results.ts'
import { WorkerReports } from '../../../src/app/worker-reports.ts'
import type { SchedulerEvent } from '../../../src/scheduler/events.ts'
import type { JobId, TaskId, VersionId, WorkerId } from '../../../src/scheduler/ids.ts'
import type { SchedulerState, Task } from '../../../src/scheduler/state.ts'
import type { CheckpointRecord, JobRecord, TaskRecord } from '../../../src/store/records.ts'

const jobId = 1 as JobId
const workerId = 5 as WorkerId
const versionId = 6 as VersionId
const [encode, first, second] = [11, 12, 13] as TaskId[] as [TaskId, TaskId, TaskId]

/** One live job of two pictures; what the scheduler, the log and the rest are told is written down in one order. */
class Stage {
  readonly said: unknown[] = []
  readonly events: SchedulerEvent[] = []
  readonly previews: Preview[] = []
  readonly checkpoints: CheckpointRecord[] = []
  readonly results = new TaskResults()
  readonly reports: WorkerReports
  readonly #tasks = new Map<TaskId, Partial<Task>>()

  constructor() {
    const live = new LiveJobs(1)
    const rest = { jobId, components: [], after: [], stage: 'inference', isHeld: true } as const
    const tasks: readonly TaskRecord[] = [
      { ...rest, id: encode, node: 'encode', program: 'encode_text', item: 0 },
      { ...rest, id: first, node: 'denoise', program: 'denoise', item: 0 },
      { ...rest, id: second, node: 'denoise', program: 'denoise', item: 1 },
    ]
    for (const { id } of tasks) this.#tasks.set(id, { state: 'started' })
    live.add({ id: jobId, idempotencyKey: null } as JobRecord, tasks, null)
    const silent = () => {}
    this.reports = new WorkerReports({
      shell: {
        state: { tasks: this.#tasks, workers: new Map() } as unknown as SchedulerState,
        feed: (event) => {
          this.events.push(event)
          this.said.push(event.type)
        },
      },
      clock: { now: () => 100 },
      live,
      log: {
        text: (_, item, text) => this.said.push(['text', item, text]),
        values: (_, values) => this.said.push(['values', values]),
        step: (_, item, step, total) => this.said.push(['step', item, step, total]),
        progress: (_, { done, total, unit }) => this.said.push(['progress', done, total, unit]),
      },
      results: this.results,
      progress: new JobProgress(),
      previews: { show: (_, preview) => this.previews.push(preview) },
      checkpoints: { put: (record) => this.checkpoints.push(record) },
      catalogue: {
        version: () => ({ spec: { componentNames: ['text_encoder', 'unet'] } }) as unknown as CatalogueEntry,
      },
      models: { loadFailed: silent },
      trouble: new EngineTrouble(),
      logger: { debug: silent, info: silent, warn: () => this.said.push('warn'), error: silent },
      giveCredit: silent,
    })
  }

  jobEnds(): void {
    for (const task of this.#tasks.values()) task.state = 'abandoned'
  }
}

test('steps are told for each picture, and counted for all of them together', () => {
  const stage = new Stage()
  stage.reports.stepsReported(workerId, [
    { kind: 'step', taskId: encode, done: 1, total: 1, unit: 'steps' },
    { kind: 'step', taskId: first, done: 3, total: 20, unit: 'steps' },
    { kind: 'step', taskId: second, done: 1, total: 20, unit: 'steps' },
  ])
  expect(stage.said).toEqual([
    ['progress', 3, 40, 'STEPS'],
    ['step', 0, 3, 20],
    ['progress', 4, 40, 'STEPS'],
    ['step', 1, 1, 20],
    'stepsReported',
  ])
})

test('what is shown of a task comes after its start', () => {
  const stage = new Stage()
  stage.reports.stepsReported(workerId, [
    { kind: 'started', taskId: first },
    { kind: 'step', taskId: first, done: 1, total: 20, unit: 'steps' },
  ])
  expect(stage.said).toEqual(['stepsReported', ['progress', 1, 40, 'STEPS'], ['step', 0, 1, 20], 'stepsReported'])
})

test('a preview belongs to the picture of its task, and none is shown after the end of its job', () => {
  const stage = new Stage()
  const entry = { kind: 'preview', taskId: second, step: 5, mimeType: 'image/png', picture: Uint8Array.of(1) } as const
  stage.reports.stepsReported(workerId, [entry])
  expect(stage.previews).toMatchObject([{ item: 1, step: 5, mimeType: 'image/png' }])
  expect(stage.events).toEqual([])
  stage.jobEnds()
  stage.reports.stepsReported(workerId, [entry])
  expect(stage.previews).toHaveLength(1)
})

test('the scheduler hears what a paused state and a held output take', () => {
  const stage = new Stage()
  stage.reports.stepsReported(workerId, [
    { kind: 'paused', taskId: first, stateBytes: 4096 },
    { kind: 'done', taskId: encode, output: {}, stepsRun: 1, heldBytes: 24576 },
  ])
  expect(stage.events).toEqual([
    {
      type: 'stepsReported',
      workerId,
      reports: [
        { kind: 'paused', taskId: first, stateBytes: 4096 },
        { kind: 'done', taskId: encode, stepsRun: 1, heldBytes: 24576 },
      ],
    },
  ])
})

test('a checkpoint is kept before the scheduler counts on it, and not after the end of its job', () => {
  const stage = new Stage()
  const saved = Uint8Array.of(1, 2)
  stage.reports.taskCheckpointed(workerId, first, 5, saved)
  expect(stage.checkpoints).toEqual([{ taskId: first, jobId, step: 5, saved, savedAt: 100 }])
  expect(stage.events).toEqual([{ type: 'taskCheckpointed', workerId, taskId: first, step: 5 }])
  stage.jobEnds()
  stage.reports.taskCheckpointed(workerId, first, 10, saved)
  stage.reports.taskCheckpointed(workerId, 99 as TaskId, 10, saved)
  expect(stage.checkpoints).toHaveLength(1)
})

test('a component is told by its place in the model; one that the model does not name is not', () => {
  const stage = new Stage()
  stage.reports.componentLoaded(workerId, versionId, 'unet')
  stage.reports.componentLoaded(workerId, versionId, 'strange')
  expect(stage.said).toEqual(['componentLoaded', 'warn'])
  expect(stage.events).toEqual([{ type: 'componentLoaded', workerId, versionId, component: 1 }])
})

test('a lease that is given back is told', () => {
  const stage = new Stage()
  stage.reports.leaseRevoked(workerId)
  expect(stage.events).toEqual([{ type: 'leaseRevoked', workerId }])
})
