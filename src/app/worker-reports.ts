/**
 * What workers say, on its way to the scheduler and the event log. The scheduler gets numbers; texts, items and outputs go to the log and to `TaskResults`.
 * Order is kept: what a user sees of a task comes after its start and before its end.
 */

import type { LargeStep } from '../runtime/workers/step-times.ts'
import { type ProgramOutput, releaseRegions } from '../runtime/workers/tensors.ts'
import type { ReportEntry, WorkerListener } from '../runtime/workers/worker-listener.ts'
import type { StepSample, TaskReport, WorkerExitCause } from '../scheduler/events.ts'
import type { TaskId, VersionId, WorkerId } from '../scheduler/ids.ts'
import type { JobEventLog } from '../store/job-events.ts'
import type { ProgressUnit } from '../store/records.ts'
import type { Catalogue } from './catalogue.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { Clock } from './clock.ts'
import type { EngineTrouble } from './engine-trouble.ts'
import type { JobProgress } from './job-progress.ts'
import type { LiveJob, LiveJobs } from './live-jobs.ts'
import type { Logger } from './logger.ts'
import type { ModelEvents } from './model-events.ts'
import type { Previews } from './previews.ts'
import type { Shell } from './shell.ts'
import type { TaskResults } from './task-results.ts'

/** Gives a task credit for further items once its earlier ones are committed. */
export type GiveCredit = (workerId: WorkerId, taskId: TaskId, items: number) => void

const units: Readonly<Record<'steps' | 'tokens' | 'items', ProgressUnit>> = {
  steps: 'STEPS',
  tokens: 'TOKENS',
  items: 'ITEMS',
}

export interface WorkerReportParts {
  readonly shell: Pick<Shell, 'feed' | 'state'>
  readonly clock: Clock
  readonly live: LiveJobs
  readonly log: Pick<JobEventLog, 'text' | 'values' | 'step' | 'progress'>
  readonly results: TaskResults
  readonly progress: JobProgress
  readonly previews: Pick<Previews, 'show'>
  readonly checkpoints: Pick<Checkpoints, 'put'>
  readonly catalogue: Pick<Catalogue, 'version'>
  readonly models: Pick<ModelEvents, 'loadFailed'>
  readonly trouble: EngineTrouble
  readonly logger: Logger
  readonly giveCredit: GiveCredit
}

/** These are shown to readers of the log. */
const shownKinds: ReadonlySet<ReportEntry['kind']> = new Set(['text', 'step', 'preview'])

export class WorkerReports implements WorkerListener {
  readonly #parts: WorkerReportParts
  readonly #shell: WorkerReportParts['shell']
  readonly #live: LiveJobs
  readonly #results: TaskResults
  readonly #trouble: EngineTrouble
  readonly #logger: Logger

  constructor(parts: WorkerReportParts) {
    this.#parts = parts
    this.#shell = parts.shell
    this.#live = parts.live
    this.#results = parts.results
    this.#trouble = parts.trouble
    this.#logger = parts.logger
  }

  stepsReported(workerId: WorkerId, entries: readonly ReportEntry[]): void {
    let reports: TaskReport[] = []
    const started = new Set<TaskId>()
    const tell = () => {
      if (reports.length > 0) this.#shell.feed({ type: 'stepsReported', workerId, reports })
      reports = []
      started.clear()
    }
    for (const entry of entries) {
      // What the log shows of a task must follow its start, which only the scheduler can announce.
      if (shownKinds.has(entry.kind) && started.has(entry.taskId)) tell()
      const report = this.#take(entry)
      if (report) reports.push(report)
      if (entry.kind === 'started') started.add(entry.taskId)
    }
    tell()
  }

  stepsTimed(
    workerId: WorkerId,
    versionId: VersionId,
    samples: readonly StepSample[],
    tooLarge: readonly LargeStep[],
  ): void {
    this.#shell.feed({ type: 'stepsTimed', workerId, versionId, samples, tooLarge })
  }

  partial(workerId: WorkerId, taskId: TaskId, values: readonly unknown[]): void {
    const { log, giveCredit } = this.#parts
    const job = this.#live.ofTask(taskId)
    if (job) log.values(job.record, values, (items) => giveCredit(workerId, taskId, items))
  }

  taskCheckpointed(workerId: WorkerId, taskId: TaskId, step: number, saved: Uint8Array): void {
    const job = this.#live.ofTask(taskId)
    if (!job || !this.#isWanted(taskId)) return
    this.#parts.checkpoints.put({ taskId, jobId: job.record.id, step, saved, savedAt: this.#parts.clock.now() })
    this.#shell.feed({ type: 'taskCheckpointed', workerId, taskId, step })
  }

  workerReady(workerId: WorkerId, facts: { readonly privateBytes: number }): void {
    this.#trouble.started(workerId, this.#engineOf(workerId))
    this.#shell.feed({ type: 'workerReady', workerId, privateBytes: facts.privateBytes })
  }

  workerExited(workerId: WorkerId, cause: WorkerExitCause, detail: string): void {
    const level = cause === 'requested' ? 'debug' : 'warn'
    this.#logger[level]({ workerId, cause, detail }, 'worker exited')
    this.#trouble.ended(workerId, this.#engineOf(workerId))
    this.#shell.feed({ type: 'workerExited', workerId, cause })
  }

  leaseRevoked(workerId: WorkerId): void {
    this.#shell.feed({ type: 'leaseRevoked', workerId })
  }

  componentLoaded(workerId: WorkerId, versionId: VersionId, name: string): void {
    const component = this.#parts.catalogue.version(versionId)?.spec?.componentNames.indexOf(name) ?? -1
    if (component >= 0) this.#shell.feed({ type: 'componentLoaded', workerId, versionId, component })
    else this.#logger.warn({ workerId, versionId, name }, 'a component was loaded that the model does not name')
  }

  modelLoaded(
    workerId: WorkerId,
    versionId: VersionId,
    facts: { readonly loadMs: number; readonly weightsBytes: number; readonly privateBytes: number },
  ): void {
    this.#results.putLoadFailure(versionId, null)
    this.#shell.feed({ type: 'modelLoaded', workerId, versionId, ...facts })
  }

  modelLoadFailed(
    workerId: WorkerId,
    versionId: VersionId,
    failure: { readonly code: string; readonly message: string; readonly retryable: boolean },
  ): void {
    this.#logger.warn({ workerId, versionId, failure }, 'model could not be loaded')
    this.#parts.models.loadFailed(versionId, failure, this.#parts.clock.now())
    this.#results.putLoadFailure(versionId, `The model could not be loaded: ${failure.message}`)
    const code = failure.code === 'out_of_memory' || failure.code === 'stale_model' ? failure.code : 'engine_error'
    this.#shell.feed({ type: 'modelLoadFailed', workerId, versionId, code, retryable: failure.retryable })
  }

  modelUnloaded(workerId: WorkerId, versionId: VersionId): void {
    this.#shell.feed({ type: 'modelUnloaded', workerId, versionId })
  }

  workerSuspected(workerId: WorkerId): void {
    this.#shell.feed({ type: 'workerSuspected', workerId })
  }

  workerAnswered(workerId: WorkerId): void {
    this.#shell.feed({ type: 'workerAnswered', workerId })
  }

  workerMeasured(workerId: WorkerId, privateBytes: number): void {
    this.#shell.feed({ type: 'workerMeasured', workerId, privateBytes })
  }

  log(workerId: WorkerId, level: 'debug' | 'info' | 'warning' | 'error', message: string): void {
    this.#trouble.said(workerId, message)
    this.#logger[level === 'warning' ? 'warn' : level]({ workerId }, message)
  }

  /** Keeps or shows what an entry carries; what remains for the scheduler is returned. */
  #take(entry: ReportEntry): TaskReport | null {
    const { taskId } = entry
    switch (entry.kind) {
      case 'started':
      case 'withdrawn':
        return { kind: entry.kind, taskId }
      case 'text': {
        const job = this.#live.ofTask(taskId)
        if (job) this.#parts.log.text(job.record, entry.item, entry.text)
        return null
      }
      case 'preview': {
        const job = this.#live.ofTask(taskId)
        if (job && this.#isWanted(taskId))
          this.#parts.previews.show(job.record, { ...entry, item: itemOf(job, taskId) })
        return null
      }
      case 'step':
        this.#showProgress(entry)
        return { kind: 'step', taskId, done: entry.done, total: entry.total }
      case 'done':
        this.#keepOutput(taskId, entry.output)
        return { kind: 'done', taskId, stepsRun: entry.stepsRun, heldBytes: entry.heldBytes }
      case 'failed':
        if (this.#isWanted(taskId)) this.#results.putMessage(taskId, entry.message)
        return { kind: 'failed', taskId, code: entry.code, retryable: entry.retryable }
      case 'cancelled':
        if (entry.output) this.#keepOutput(taskId, entry.output)
        return { kind: 'cancelled', taskId }
      case 'paused':
        return { kind: 'paused', taskId, stateBytes: entry.stateBytes }
      default:
        return entry satisfies never
    }
  }

  #keepOutput(taskId: TaskId, output: ProgramOutput): void {
    if (this.#isWanted(taskId)) this.#results.putOutput(taskId, output)
    else releaseRegions(output)
  }

  /** What a worker brings after the end of its job has been decided would be kept for nobody. */
  #isWanted(taskId: TaskId): boolean {
    const task = this.#shell.state.tasks.get(taskId)
    return task !== undefined && task.state !== 'abandoned'
  }

  #showProgress(entry: Extract<ReportEntry, { kind: 'step' }>): void {
    const { log, progress } = this.#parts
    const { taskId, done, total, unit } = entry
    const job = this.#live.ofTask(taskId)
    const counts = job && progress.take(job, taskId, { done, total, unit: units[unit] })
    if (!counts) return
    log.progress(job.record, counts)
    if (unit === 'steps' && total !== null) log.step(job.record, itemOf(job, taskId), done, total)
  }

  #engineOf(workerId: WorkerId): string {
    return this.#shell.state.workers.get(workerId)?.slot.engine ?? ''
  }
}

/** Which of the job's pictures the task works on. */
function itemOf(job: LiveJob, taskId: TaskId): number {
  return job.tasks.find(({ id }) => id === taskId)?.item ?? 0
}
