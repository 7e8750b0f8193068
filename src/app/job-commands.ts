/**
 * Carries out what the scheduler says of jobs: each becomes one durable state change, then an event that users see. An end whose output goes to files
 * waits for them; the job is live until then, and the scheduler, for which it has ended, says nothing more of it.
 */

import { ArtifactTooLarge } from '../runtime/artifacts/errors.ts'
import type { ProgramOutput } from '../runtime/workers/tensors.ts'
import type { Command } from '../scheduler/commands.ts'
import type { JobId, Millis, TaskId } from '../scheduler/ids.ts'
import type { JobEventLog } from '../store/job-events.ts'
import type { JobEventBody, JobFailure, JobPatch, JobRecord, JobState } from '../store/records.ts'
import type { Artifacts } from './artifacts.ts'
import { failureOf, requeueFailure } from './failure-messages.ts'
import type { LiveJob, LiveJobs } from './live-jobs.ts'
import { type FinishedOutput, finishOutput } from './outputs/finish-output.ts'
import { BrokenContract } from './outputs/program-words.ts'
import type { TaskResults } from './task-results.ts'
import { ArtifactsClosed, ResultGivenUp } from './waiting-results.ts'

export type JobCommand = Extract<Command, { readonly jobId: JobId }>

export interface JobCommandParts {
  readonly live: LiveJobs
  readonly log: JobEventLog
  readonly results: TaskResults
  readonly artifacts: Pick<Artifacts, 'prepare' | 'committed' | 'discard'>
  /** Larger output tensors become artifacts. */
  readonly inlineTensorBytesMax: number
  /** A commit that could not be made at all: the server must not go on as if it had been. */
  readonly onLost: (error: unknown) => void
}

export class JobCommands {
  readonly #parts: JobCommandParts
  readonly #live: LiveJobs
  readonly #results: TaskResults
  /** Ends that wait for their files. */
  readonly #finishing = new Set<Promise<void>>()

  constructor(parts: JobCommandParts) {
    this.#parts = parts
    this.#live = parts.live
    this.#results = parts.results
  }

  /** Jobs that have ended and whose output is still being written to files. */
  get finishing(): number {
    return this.#finishing.size
  }

  /** Resolves when no end waits for files any more. */
  async finished(): Promise<void> {
    while (this.#finishing.size > 0) await Promise.all(this.#finishing)
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
    this.#finish(job, this.#results.takeOutput(taskId), (outcome) => {
      if ('finished' in outcome)
        return this.#end(job, { kind: 'succeeded' }, 'SUCCEEDED', { finishedAt: now }, outcome.finished)
      if (outcome.problem instanceof ResultGivenUp)
        return this.#end(job, cancelled(job.record, outcome.problem.message), 'CANCELLED', { finishedAt: now })
      const failure = outputFailure(outcome.problem)
      this.#end(job, { kind: 'failed', failure }, 'FAILED', { failure, finishedAt: now })
    })
  }

  #cancel(job: LiveJob, now: Millis): void {
    const { record, tasks } = job
    let kept: ProgramOutput | null = null
    // Only the last output is taken; what earlier tasks gave is given back at the end.
    for (const { id } of tasks.toReversed()) kept ??= this.#results.takeOutput(id)
    const { progressDone, progressUnit, startedAt } = record
    const message =
      startedAt === null
        ? 'Cancelled while it waited; nothing had run.'
        : `Cancelled after ${progressDone} ${(progressUnit ?? 'STEPS').toLowerCase()}.`
    const body = cancelled(record, message)
    const end = (finished?: FinishedOutput) => this.#end(job, body, 'CANCELLED', { finishedAt: now }, finished)
    if (!kept) return end()
    // A program that keeps what is no output keeps nothing: its job is cancelled all the same.
    this.#finish(job, kept, (outcome) => end('finished' in outcome ? outcome.finished : undefined))
  }

  /** In the same turn where nothing goes to files, so that most ends wait for nothing. */
  #finish(job: LiveJob, output: ProgramOutput | null, take: (outcome: Outcome) => void): void {
    const { record } = job
    let finished: FinishedOutput | Promise<FinishedOutput>
    try {
      if (!output) throw new BrokenContract('it ended without an output.')
      finished = finishOutput(record.taskKind, record.id, output, this.#parts)
    } catch (problem) {
      return take({ problem })
    }
    if (!(finished instanceof Promise)) return take({ finished })
    const ending: Promise<void> = finished
      .then(
        (value) => take({ finished: value }),
        // The server ends first: the job is taken up again at the next start.
        (problem: unknown) => (problem instanceof ArtifactsClosed ? undefined : take({ problem })),
      )
      .catch(this.#parts.onLost)
      .finally(() => this.#finishing.delete(ending))
    this.#finishing.add(ending)
  }

  /** What the worker said: of the task, or of the model that could not be loaded for it. */
  #wordsAbout(job: LiveJob, { code, taskId }: Extract<JobCommand, { type: 'jobFailed' }>): string | null {
    if (taskId !== null) return this.#results.takeMessage(taskId)
    return code === 'ENGINE_ERROR' || code === 'OUT_OF_MEMORY' ? this.#results.loadFailure(job.record.versionId) : null
  }

  #change(job: LiveJob, body: JobEventBody, to: JobState, patch: JobPatch): void {
    this.#parts.log.changeState(job.record, body, to, patch).catch(this.#parts.onLost)
  }

  #end(job: LiveJob, body: JobEventBody, to: JobState, patch: JobPatch, output?: FinishedOutput): void {
    const { log, artifacts, onLost } = this.#parts
    const { id } = job.record
    for (const task of job.tasks) this.#results.forget(task.id)
    log
      .changeState(job.record, body, to, patch, output?.encoded, output?.artifacts)
      .then(() => {
        this.#live.end(id)
        if (!output) return
        this.#results.keepEncoded(id, output.encoded)
        artifacts.committed(output.artifacts)
      })
      .catch(onLost)
  }
}

type Outcome = { readonly finished: FinishedOutput } | { readonly problem: unknown }

function cancelled({ progressDone, progressTotal, progressUnit }: JobRecord, message: string): JobEventBody {
  return { kind: 'cancelled', progressDone, progressTotal, progressUnit, message }
}

function outputFailure(problem: unknown): JobFailure {
  const words = problem instanceof Error ? problem.message : String(problem)
  if (problem instanceof BrokenContract)
    return failureOf('ENGINE_ERROR', false, `The program broke its contract: ${words}`)
  if (problem instanceof ArtifactTooLarge)
    return failureOf('ENGINE_ERROR', false, `What the job made cannot be kept: ${words}`)
  return failureOf('INTERNAL', true, `What the job made could not be written: ${words}`)
}

/** A job whose version is gone fails without the scheduler ever hearing of it. */
export function failUnrunnable(log: JobEventLog, live: LiveJobs, record: JobRecord, now: Millis): Promise<void> {
  const failure = failureOf('MODEL_VERSION_GONE', false, null)
  return log
    .changeState(record, { kind: 'failed', failure }, 'FAILED', { failure, finishedAt: now })
    .then(() => live.end(record.id))
}
