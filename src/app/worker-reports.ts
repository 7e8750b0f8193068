/**
 * What workers say, on its way to the scheduler and the event log. The scheduler gets numbers; texts, items and outputs go to the log and to `TaskResults`.
 * Order is kept: what a user sees of a task comes after its start and before its end.
 */

import { type ProgramOutput, releaseRegions } from '../runtime/workers/tensors.ts'
import type { ReportEntry, WorkerListener } from '../runtime/workers/worker-listener.ts'
import type { TaskReport, WorkerExitCause } from '../scheduler/events.ts'
import type { TaskId, VersionId, WorkerId } from '../scheduler/ids.ts'
import type { JobEventLog } from '../store/job-events.ts'
import type { JobRecord, ProgressUnit } from '../store/records.ts'
import type { Clock } from './clock.ts'
import type { EngineTrouble } from './engine-trouble.ts'
import type { LiveJobs } from './live-jobs.ts'
import type { Logger } from './logger.ts'
import type { ModelEvents } from './model-events.ts'
import type { Shell } from './shell.ts'
import type { TaskResults } from './task-results.ts'

/** Gives a task credit for further items once its earlier ones are committed. */
export type GiveCredit = (workerId: WorkerId, taskId: TaskId, items: number) => void

const units: Readonly<Record<'steps' | 'tokens' | 'items', ProgressUnit>> = {
  steps: 'STEPS',
  tokens: 'TOKENS',
  items: 'ITEMS',
}

export class WorkerReports implements WorkerListener {
  readonly #shell: Shell
  readonly #clock: Clock
  readonly #live: LiveJobs
  readonly #log: JobEventLog
  readonly #results: TaskResults
  readonly #models: ModelEvents
  readonly #trouble: EngineTrouble
  readonly #logger: Logger
  readonly #giveCredit: GiveCredit

  constructor(parts: {
    shell: Shell
    clock: Clock
    live: LiveJobs
    log: JobEventLog
    results: TaskResults
    models: ModelEvents
    trouble: EngineTrouble
    logger: Logger
    giveCredit: GiveCredit
  }) {
    this.#shell = parts.shell
    this.#clock = parts.clock
    this.#live = parts.live
    this.#log = parts.log
    this.#results = parts.results
    this.#models = parts.models
    this.#trouble = parts.trouble
    this.#logger = parts.logger
    this.#giveCredit = parts.giveCredit
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
      if ((entry.kind === 'text' || entry.kind === 'step') && started.has(entry.taskId)) tell()
      const report = this.#take(entry)
      if (report) reports.push(report)
      if (entry.kind === 'started') started.add(entry.taskId)
    }
    tell()
  }

  partial(workerId: WorkerId, taskId: TaskId, values: readonly unknown[]): void {
    const record = this.#recordOf(taskId)
    if (!record) return
    this.#log.values(record, values, (items) => this.#giveCredit(workerId, taskId, items))
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
    this.#models.loadFailed(versionId, failure, this.#clock.now())
    this.#results.putLoadFailure(versionId, `The model could not be loaded: ${failure.message}`)
    const code = failure.code === 'out_of_memory' || failure.code === 'stale_model' ? failure.code : 'engine_error'
    this.#shell.feed({ type: 'modelLoadFailed', workerId, versionId, code, retryable: failure.retryable })
  }

  modelUnloaded(workerId: WorkerId, versionId: VersionId): void {
    this.#shell.feed({ type: 'modelUnloaded', workerId, versionId })
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
        const record = this.#recordOf(taskId)
        if (record) this.#log.text(record, entry.item, entry.text)
        return null
      }
      case 'step':
        this.#showProgress(entry)
        return { kind: 'step', taskId, done: entry.done, total: entry.total }
      case 'done':
        this.#keepOutput(taskId, entry.output)
        return { kind: 'done', taskId, stepsRun: entry.stepsRun }
      case 'failed':
        if (this.#isWanted(taskId)) this.#results.putMessage(taskId, entry.message)
        return { kind: 'failed', taskId, code: entry.code, retryable: entry.retryable }
      case 'cancelled':
        if (entry.output) this.#keepOutput(taskId, entry.output)
        return { kind: 'cancelled', taskId }
      case 'paused':
        return null
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
    const record = this.#recordOf(entry.taskId)
    if (!record) return
    this.#log.progress(record, { done: entry.done, total: entry.total, unit: units[entry.unit] })
    if (entry.unit === 'steps' && entry.total !== null) this.#log.step(record, 0, entry.done, entry.total)
  }

  #engineOf(workerId: WorkerId): string {
    return this.#shell.state.workers.get(workerId)?.slot.engine ?? ''
  }

  #recordOf(taskId: TaskId): JobRecord | null {
    return this.#live.ofTask(taskId)?.record ?? null
  }
}
