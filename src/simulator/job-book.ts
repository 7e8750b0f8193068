/** What the store would remember of each job: enough to feed it again after a restart. */
import type { Command, JobFailureCode } from '../scheduler/commands.ts'
import type { JobSpec, RecoveredJob } from '../scheduler/events.ts'
import type { JobId, TaskId } from '../scheduler/ids.ts'

export type JobCommand = Extract<Command, { readonly jobId: JobId }>
export type Ending = 'jobSucceeded' | 'jobFailed' | 'jobCancelled'

interface Entry {
  readonly spec: JobSpec
  attempt: number
  failedAttempts: number
  deathsAlone: number
  state: 'queued' | 'active' | 'paused'
  cancelRequested: boolean
  pauseRequested: boolean
  end: Ending | null
  failure: JobFailureCode | null
}

export class JobBook {
  staleAttempts = 0
  pauses = 0
  resumptions = 0
  readonly #entries = new Map<JobId, Entry>()
  /** Steps in the newest checkpoint of each task. */
  readonly #saved = new Map<TaskId, number>()

  submitted(spec: JobSpec): void {
    this.#entries.set(spec.jobId, {
      spec,
      attempt: 0,
      failedAttempts: 0,
      deathsAlone: 0,
      state: 'queued',
      cancelRequested: false,
      pauseRequested: false,
      end: null,
      failure: null,
    })
  }

  cancelRequested(jobId: JobId): void {
    const entry = this.#entries.get(jobId)
    if (entry) entry.cancelRequested = true
  }

  /** It pauses, or goes on if it was to pause already. */
  pauseWished(jobId: JobId): 'pause' | 'resume' {
    const entry = this.#entries.get(jobId)
    if (!entry) throw new Error(`Job ${jobId} was never submitted.`)
    entry.pauseRequested = !entry.pauseRequested
    return entry.pauseRequested ? 'pause' : 'resume'
  }

  saved(taskId: TaskId, step: number): void {
    this.#saved.set(taskId, step)
  }

  savedSteps(taskId: TaskId): number {
    return this.#saved.get(taskId) ?? 0
  }

  carriedOut(command: JobCommand): void {
    const entry = this.#entries.get(command.jobId)
    if (!entry) throw new Error(`The scheduler speaks of job ${command.jobId}, which was never submitted.`)
    switch (command.type) {
      case 'jobLoading':
      case 'jobStarted':
        entry.state = 'active'
        entry.attempt = command.attempt
        return
      case 'jobRequeued':
        if (command.cause === 'stale_model') this.staleAttempts += 1
        entry.state = 'queued'
        entry.attempt = command.attempt
        entry.failedAttempts = command.failedAttempts
        entry.deathsAlone = command.deathsAlone
        return
      case 'jobPaused':
        this.pauses += 1
        entry.state = 'paused'
        return
      case 'jobResumed':
        this.resumptions += 1
        entry.state = command.deviceId === null ? 'queued' : 'active'
        return
      case 'jobPostprocessing':
        return
      case 'jobSucceeded':
      case 'jobFailed':
      case 'jobCancelled':
        entry.end = command.type
        entry.failure = command.type === 'jobFailed' ? command.code : null
        return
      default:
        return command satisfies never
    }
  }

  /** Oldest first, as a store would find them at its start. */
  unfinished(): RecoveredJob[] {
    return [...this.#entries.values()]
      .filter(({ end }) => end === null)
      .map(({ spec, attempt, failedAttempts, deathsAlone, state, cancelRequested, pauseRequested }) => ({
        ...spec,
        attempt,
        failedAttempts,
        deathsAlone,
        // What had just been asked to go on begins again like any other.
        wasActive: state === 'paused' ? !pauseRequested : state === 'active',
        cancelRequested,
        pauseRequested,
        checkpoints: spec.tasks.flatMap(({ taskId }) => {
          const step = this.#saved.get(taskId)
          return step === undefined ? [] : [{ taskId, step }]
        }),
      }))
  }

  count(end: Ending | null): number {
    return [...this.#entries.values()].filter((entry) => entry.end === end).length
  }

  countFailed(failure: JobFailureCode): number {
    return [...this.#entries.values()].filter((entry) => entry.failure === failure).length
  }

  quarantined(): JobSpec[] {
    return [...this.#entries.values()].filter(({ failure }) => failure === 'QUARANTINED').map(({ spec }) => spec)
  }
}
