/** Carries out what the scheduler says of jobs: each becomes one durable state change, then an event that users see. */
import type { Command } from '../scheduler/commands.ts'
import type { JobId, Millis, TaskId } from '../scheduler/ids.ts'
import type { JobEventLog } from '../store/job-events.ts'
import type { JobEventBody, JobPatch, JobRecord, JobState } from '../store/records.ts'
import { failureOf, requeueFailure } from './failure-messages.ts'
import type { LiveJob, LiveJobs } from './live-jobs.ts'
import { encodeOutput, outputOfProgram } from './outputs.ts'
import type { ProgramOutput, TaskResults } from './task-results.ts'

export type JobCommand = Extract<Command, { readonly jobId: JobId }>

export class JobCommands {
  readonly #live: LiveJobs
  readonly #log: JobEventLog
  readonly #results: TaskResults
  /** A commit that could not be made at all: the server must not go on as if it had been. */
  readonly #onLost: (error: unknown) => void

  constructor(live: LiveJobs, log: JobEventLog, results: TaskResults, onLost: (error: unknown) => void) {
    this.#live = live
    this.#log = log
    this.#results = results
    this.#onLost = onLost
  }

  carryOut(command: JobCommand, now: Millis): void {
    const job = this.#live.get(command.jobId)
    if (!job) throw new Error(`The scheduler spoke of job ${command.jobId} (${command.type}), which is not live.`)
    switch (command.type) {
      case 'jobLoading':
        return this.#change(job, { kind: 'loading', deviceId: command.deviceId }, 'LOADING', {
          attempt: command.attempt,
          deviceId: command.deviceId,
          loadingAt: now,
        })
      case 'jobStarted':
        return this.#change(job, { kind: 'started', deviceId: command.deviceId }, 'RUNNING', {
          attempt: command.attempt,
          deviceId: command.deviceId,
          startedAt: now,
        })
      case 'jobRequeued':
        return this.#requeue(job, command)
      case 'jobSucceeded':
        return this.#succeed(job, command.taskId, now)
      case 'jobFailed': {
        const failure = failureOf(command.code, command.retryable, this.#wordsAbout(job, command))
        return this.#end(job, { kind: 'failed', failure }, 'FAILED', { failure, finishedAt: now })
      }
      case 'jobCancelled':
        return this.#cancel(job, now)
      default:
        return command satisfies never
    }
  }

  #requeue(job: LiveJob, command: Extract<JobCommand, { type: 'jobRequeued' }>): void {
    const { attempt, cause, exit, fromStep, failedAttempts, deathsAlone } = command
    const said = job.tasks.map(({ id }) => this.#results.takeMessage(id)).find((message) => message !== null) ?? null
    for (const { id } of job.tasks) this.#results.forget(id)
    const words = cause === 'load_failed' ? this.#results.loadFailure(job.record.versionId) : said
    const failure = requeueFailure(cause, exit, words)
    const patch: JobPatch = {
      attempt,
      failedAttempts,
      deathsAlone,
      deviceId: null,
      loadingAt: null,
      startedAt: null,
      firstPartialAt: null,
      progressDone: fromStep,
    }
    this.#change(job, { kind: 'requeued', cause, failure, fromStep }, 'QUEUED', patch)
  }

  #succeed(job: LiveJob, taskId: TaskId, now: Millis): void {
    const output = this.#results.takeOutput(taskId)
    try {
      if (!output) throw new Error('The task ended without an output.')
      const encoded = encodeOutput(outputOfProgram(job.record.taskKind, output))
      this.#end(job, { kind: 'succeeded' }, 'SUCCEEDED', { finishedAt: now }, encoded)
    } catch (error) {
      const failure = failureOf(
        'ENGINE_ERROR',
        false,
        `The program broke its contract: ${error instanceof Error ? error.message : String(error)}`,
      )
      this.#end(job, { kind: 'failed', failure }, 'FAILED', { failure, finishedAt: now })
    }
  }

  #cancel(job: LiveJob, now: Millis): void {
    const { record, tasks } = job
    const kept = tasks.map(({ id }) => this.#results.takeOutput(id)).findLast((output) => output !== null)
    const { progressDone, progressTotal, progressUnit, startedAt } = record
    const message =
      startedAt === null
        ? 'Cancelled while it waited; nothing had run.'
        : `Cancelled after ${progressDone} ${(progressUnit ?? 'STEPS').toLowerCase()}.`
    const body: JobEventBody = { kind: 'cancelled', progressDone, progressTotal, progressUnit, message }
    this.#end(job, body, 'CANCELLED', { finishedAt: now }, kept ? this.#encodeKept(record, kept) : undefined)
  }

  /** A program that keeps what is no output keeps nothing: its job is cancelled all the same. */
  #encodeKept(record: JobRecord, kept: ProgramOutput): Uint8Array | undefined {
    try {
      return encodeOutput(outputOfProgram(record.taskKind, kept))
    } catch {
      return undefined
    }
  }

  /** What the worker said: of the task, or of the model that could not be loaded for it. */
  #wordsAbout(job: LiveJob, { code, taskId }: Extract<JobCommand, { type: 'jobFailed' }>): string | null {
    if (taskId !== null) return this.#results.takeMessage(taskId)
    return code === 'ENGINE_ERROR' || code === 'OUT_OF_MEMORY' ? this.#results.loadFailure(job.record.versionId) : null
  }

  #change(job: LiveJob, body: JobEventBody, to: JobState, patch: JobPatch): void {
    this.#log.changeState(job.record, body, to, patch).catch(this.#onLost)
  }

  #end(job: LiveJob, body: JobEventBody, to: JobState, patch: JobPatch, output?: Uint8Array): void {
    const { id } = job.record
    for (const task of job.tasks) this.#results.forget(task.id)
    this.#log
      .changeState(job.record, body, to, patch, output)
      .then(() => {
        this.#live.end(id)
        if (output) this.#results.keepEncoded(id, output)
      })
      .catch(this.#onLost)
  }
}

/** A job whose version is gone fails without the scheduler ever hearing of it. */
export function failUnrunnable(log: JobEventLog, live: LiveJobs, record: JobRecord, now: Millis): Promise<void> {
  const failure = failureOf('MODEL_VERSION_GONE', false, null)
  return log
    .changeState(record, { kind: 'failed', failure }, 'FAILED', { failure, finishedAt: now })
    .then(() => live.end(record.id))
}
