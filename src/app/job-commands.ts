/** Carries out what the scheduler says of jobs: each becomes one durable state change, then an event that users see. */

import type { Command } from '../scheduler/commands.ts'
import type { PauseCause } from '../scheduler/events.ts'
import type { DeviceId, JobId, Millis, TaskId } from '../scheduler/ids.ts'
import type { JobEventLog } from '../store/job-events.ts'
import type { JobPatch, JobRecord } from '../store/records.ts'
import type { Checkpoints } from './checkpoints.ts'
import { failureOf, requeueFailure } from './failure-messages.ts'
import { JobChanges, pausesUntil } from './job-changes.ts'
import { type JobEndParts, JobEnds } from './job-ends.ts'
import type { JobProgress, Restart } from './job-progress.ts'
import type { LiveJob, LiveJobs } from './live-jobs.ts'
import { finishedPictures, stoppedAt } from './stopped-at.ts'

export type JobCommand = Extract<Command, { readonly jobId: unknown }>
type CommandOf<Type extends JobCommand['type']> = Extract<JobCommand, { readonly type: Type }>

export interface JobCommandParts extends JobEndParts {
  readonly log: Pick<JobEventLog, 'changeState' | 'withdrawPreviews'>
  readonly checkpoints: Pick<Checkpoints, 'forget' | 'stepOf'>
  readonly progress: Pick<JobProgress, 'forget' | 'restart' | 'upToDate'>
  /** It need not run again, also when its job begins another attempt. */
  readonly isDone: (taskId: TaskId, jobId: JobId) => boolean
}

export class JobCommands {
  readonly #parts: JobCommandParts
  readonly #changes: JobChanges
  readonly #ends: JobEnds

  constructor(parts: JobCommandParts) {
    this.#parts = parts
    this.#changes = new JobChanges(parts.log, parts.onLost)
    this.#ends = new JobEnds(parts, this.#changes)
  }

  /** Jobs that have ended and whose output is still being written to files. */
  get finishing(): number {
    return this.#ends.waiting
  }

  /** Resolves when no end waits for files any more. */
  finished(): Promise<void> {
    return this.#ends.finished()
  }

  carryOut(command: JobCommand, now: Millis): void {
    const job = this.#parts.live.get(command.jobId)
    if (!job) throw new Error(`The scheduler spoke of job ${command.jobId} (${command.type}), which is not live.`)
    switch (command.type) {
      case 'jobLoading':
        return this.#load(job, command, now)
      case 'jobStarted':
        return this.#start(job, command, now)
      case 'jobRequeued':
        return this.#requeue(job, command, now)
      case 'jobPaused':
        return this.#pause(job, command, now)
      case 'jobResumed':
        return this.#resume(job, command.deviceId, now)
      case 'jobPostprocessing':
        return this.#postprocess(job, now)
      case 'jobSucceeded':
        return this.#ends.succeed(job, now)
      case 'jobFailed':
        return this.#ends.fail(job, command, now)
      case 'jobCancelled':
        return this.#ends.cancel(job, now)
      default:
        return command satisfies never
    }
  }

  #load(job: LiveJob, { attempt, deviceId }: CommandOf<'jobLoading'>, now: Millis): void {
    const { startedAt, pausedMs } = this.#changes.decided(job)
    // One that has run before keeps its times: what it waits for after a pause is part of its run.
    const times = startedAt === null ? { loadingAt: now, pausedWaitingMs: pausedMs } : {}
    this.#changes.change(job, { kind: 'loading', deviceId }, 'LOADING', { attempt, deviceId, ...times })
  }

  #start(job: LiveJob, { attempt, deviceId }: CommandOf<'jobStarted'>, now: Millis): void {
    const { loadingAt, startedAt, postprocessingAt, pausedMs } = this.#changes.decided(job)
    const to = postprocessingAt === null ? 'RUNNING' : 'POSTPROCESSING'
    const waited = startedAt === null && loadingAt === null ? { pausedWaitingMs: pausedMs } : {}
    const patch = { attempt, deviceId, startedAt: startedAt ?? now, ...waited }
    this.#changes.change(job, { kind: 'started', deviceId }, to, patch)
  }

  #postprocess(job: LiveJob, now: Millis): void {
    const postprocessingAt = this.#changes.decided(job).postprocessingAt ?? now
    this.#changes.change(job, { kind: 'postprocessing' }, 'POSTPROCESSING', { postprocessingAt })
  }

  #requeue(job: LiveJob, command: CommandOf<'jobRequeued'>, now: Millis): void {
    const { attempt, cause, exit, failedAttempts, deathsAlone, remedy } = command
    const { results, isDone } = this.#parts
    const said = job.tasks.map((task) => results.takeMessage(task.id)).find((message) => message !== null) ?? null
    for (const task of job.tasks) if (!isDone(task.id, job.record.id)) results.forget(task.id)
    const restart = this.#restart(job) ?? { done: command.fromStep, fromStep: command.fromStep }
    const failure = requeueFailure(
      cause,
      exit,
      cause === 'load_failed' ? results.loadFailure(job.record.versionId) : said,
      remedy,
    )
    const pauses = pausesUntil(now, this.#changes.decided(job))
    const patch: JobPatch = {
      attempt,
      failedAttempts,
      deathsAlone,
      deviceId: null,
      loadingAt: null,
      startedAt: null,
      firstPartialAt: null,
      postprocessingAt: null,
      progressDone: restart.done,
      ...pauses,
      pausedWaitingMs: pauses.pausedMs,
    }
    this.#changes.change(job, { kind: 'requeued', cause, failure, fromStep: restart.fromStep }, 'QUEUED', patch)
  }

  #pause(job: LiveJob, { cause }: CommandOf<'jobPaused'>, now: Millis): void {
    const record = this.#parts.progress.upToDate(this.#changes.decided(job))
    // It was paused before a restart, and still is.
    if (record.state === 'PAUSED') return
    const pictures = finishedPictures(job, this.#parts.results)
    const message = `Paused ${stoppedAt(record)}${pictures ? `; ${pictures}` : ''}.${pauseWords[cause]}`
    this.#changes.change(job, { kind: 'paused', cause, message }, 'PAUSED', { pausedAt: now, pauseCause: cause })
  }

  #resume(job: LiveJob, deviceId: DeviceId | null, now: Millis): void {
    const record = this.#parts.progress.upToDate(this.#changes.decided(job))
    const patch = { deviceId, ...pausesUntil(now, record), ...withoutPause(record, now) }
    if (deviceId === null) {
      const times = record.startedAt === null ? { loadingAt: null } : {}
      const progressDone = this.#restart(job)?.done ?? record.progressDone
      return this.#changes.change(job, { kind: 'resumed', deviceId }, 'QUEUED', { ...patch, ...times, progressDone })
    }
    const to = record.postprocessingAt === null ? 'RUNNING' : 'POSTPROCESSING'
    this.#changes.change(job, { kind: 'resumed', deviceId }, to, patch)
  }

  /** Where its checkpoints let it go on; null where its steps are not counted together. */
  #restart(job: LiveJob): Restart | null {
    const { checkpoints, progress, isDone } = this.#parts
    return progress.restart(job, (id) => (isDone(id, job.record.id) ? null : checkpoints.stepOf(job.record.id, id)))
  }
}

/** Moved by the pause that is over, so that neither running nor postprocessing counts it. */
function withoutPause({ postprocessingAt, pausedAt }: JobRecord, now: Millis): JobPatch {
  return postprocessingAt === null || pausedAt === null ? {} : { postprocessingAt: postprocessingAt + now - pausedAt }
}

/** A job whose version is gone fails without the scheduler ever hearing of it. */
export function failUnrunnable(log: JobEventLog, live: LiveJobs, record: JobRecord, now: Millis): Promise<void> {
  const failure = failureOf('MODEL_VERSION_GONE', false, null)
  return log
    .changeState(record, { kind: 'failed', failure }, 'FAILED', { failure, finishedAt: now })
    .then(() => live.end(record.id))
}

const pauseWords: Readonly<Record<PauseCause, string>> = {
  requested: '',
  interactive_work: ' Interactive work needs its place; it goes on by itself.',
  memory_pressure: ' Its device is short of memory; it goes on by itself.',
}
