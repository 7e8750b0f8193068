/** What the store would remember of each job: enough to feed it again after a restart. */
import type { Command, JobFailureCode } from '../scheduler/commands.ts'
import type { JobSpec, RecoveredJob } from '../scheduler/events.ts'
import type { JobId } from '../scheduler/ids.ts'

export type JobCommand = Extract<Command, { readonly jobId: JobId }>
export type Ending = 'jobSucceeded' | 'jobFailed' | 'jobCancelled'

interface Entry {
  readonly spec: JobSpec
  attempt: number
  failedAttempts: number
  deathsAlone: number
  isActive: boolean
  cancelRequested: boolean
  end: Ending | null
  failure: JobFailureCode | null
}

export class JobBook {
  staleAttempts = 0
  readonly #entries = new Map<JobId, Entry>()

  submitted(spec: JobSpec): void {
    this.#entries.set(spec.jobId, {
      spec,
      attempt: 0,
      failedAttempts: 0,
      deathsAlone: 0,
      isActive: false,
      cancelRequested: false,
      end: null,
      failure: null,
    })
  }

  cancelRequested(jobId: JobId): void {
    const entry = this.#entries.get(jobId)
    if (entry) entry.cancelRequested = true
  }

  carriedOut(command: JobCommand): void {
    const entry = this.#entries.get(command.jobId)
    if (!entry) throw new Error(`The scheduler speaks of job ${command.jobId}, which was never submitted.`)
    switch (command.type) {
      case 'jobLoading':
      case 'jobStarted':
        entry.isActive = true
        entry.attempt = command.attempt
        return
      case 'jobRequeued':
        if (command.cause === 'stale_model') this.staleAttempts += 1
        entry.isActive = false
        entry.attempt = command.attempt
        entry.failedAttempts = command.failedAttempts
        entry.deathsAlone = command.deathsAlone
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
      .map(({ spec, attempt, failedAttempts, deathsAlone, isActive, cancelRequested }) => ({
        ...spec,
        attempt,
        failedAttempts,
        deathsAlone,
        wasActive: isActive,
        cancelRequested,
        pauseRequested: false,
        checkpoints: [],
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
