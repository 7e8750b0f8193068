/** The lives of jobs as users are told of them: each ends once, attempts rise one by one, and a paused one stays so until it is told to go on. */

import type { Command } from '../commands.ts'
import type { SchedulerEvent } from '../events.ts'
import type { JobId } from '../ids.ts'
import type { AuditPart } from './audit.ts'
import type { Expect } from './expect.ts'

type JobCommand = Extract<Command, { readonly jobId: JobId }>

export class JobAudit implements AuditPart {
  readonly live = new Set<JobId>()
  readonly #ended = new Set<JobId>()
  readonly #attempts = new Map<JobId, number>()
  readonly #paused = new Set<JobId>()
  readonly #running = new Set<JobId>()
  readonly #expect: Expect
  #isDraining = false

  constructor(expect: Expect) {
    this.#expect = expect
  }

  isPaused(jobId: JobId): boolean {
    return this.#paused.has(jobId)
  }

  /** A task of it is given to a worker. */
  admitted(jobId: JobId, attempt: number): void {
    this.#expectLive(jobId, 'admit')
    this.#takeAttempt(jobId, attempt, false)
    this.#expect(!this.#paused.has(jobId), `Job ${jobId} is paused, and a task of it is admitted.`)
    const mayBegin = !this.#isDraining || this.#running.has(jobId)
    this.#expect(mayBegin, `Job ${jobId} is begun while the server stops.`)
  }

  takeEvent(event: SchedulerEvent): void {
    if (event.type === 'jobsSubmitted' || event.type === 'jobsRecovered')
      for (const { jobId } of event.jobs) if (!this.#ended.has(jobId)) this.live.add(jobId)
    // Of an attempt that nothing was shown of, nobody knows after a restart.
    if (event.type === 'jobsRecovered')
      for (const { jobId, attempt } of event.jobs)
        if (attempt === 0) this.#attempts.delete(jobId)
        else this.#attempts.set(jobId, attempt)
    if (event.type === 'drainRequested') this.#isDraining = true
    if (event.type !== 'serverRestarted') return
    this.#isDraining = false
    this.#paused.clear()
    this.#running.clear()
  }

  takeCommand(command: Command): void {
    if ('jobId' in command) this.#take(command)
  }

  settle(): void {}

  #take(command: JobCommand): void {
    const { jobId, type } = command
    this.#expectLive(jobId, type)
    switch (type) {
      case 'jobLoading':
        return this.#takeAttempt(jobId, command.attempt, false)
      case 'jobStarted':
        this.#expect(!this.#running.has(jobId) && !this.#paused.has(jobId), `Job ${jobId} starts out of turn.`)
        this.#running.add(jobId)
        return this.#takeAttempt(jobId, command.attempt, false)
      case 'jobRequeued':
        this.#running.delete(jobId)
        this.#paused.delete(jobId)
        return this.#takeAttempt(jobId, command.attempt, true)
      case 'jobPaused':
        this.#expect(!this.#paused.has(jobId), `Job ${jobId} is paused twice.`)
        this.#paused.add(jobId)
        this.#running.delete(jobId)
        return
      case 'jobResumed':
        this.#expect(this.#paused.delete(jobId), `Job ${jobId} is resumed and was not paused.`)
        if (command.deviceId !== null) this.#running.add(jobId)
        return
      case 'jobPostprocessing':
        return this.#expect(this.#running.has(jobId), `Job ${jobId} is postprocessing and does not run.`)
      case 'jobSucceeded':
      case 'jobFailed':
      case 'jobCancelled':
        this.live.delete(jobId)
        this.#ended.add(jobId)
        this.#running.delete(jobId)
        this.#paused.delete(jobId)
        return
      default:
        return command satisfies never
    }
  }

  /** Attempts begin with 1 and rise by one with each requeue, and at no other time. */
  #takeAttempt(jobId: JobId, attempt: number, isNew: boolean): void {
    const before = this.#attempts.get(jobId)
    const expected = before === undefined ? (isNew ? attempt : 1) : isNew ? before + 1 : before
    this.#expect(attempt === expected, `Job ${jobId} is in attempt ${attempt}, expected ${expected}.`)
    this.#attempts.set(jobId, attempt)
  }

  #expectLive(jobId: JobId, what: string): void {
    const why = this.#ended.has(jobId) ? 'has ended' : 'was never submitted'
    this.#expect(this.live.has(jobId), `${what} speaks of job ${jobId}, which ${why}.`)
  }
}
