/** Jobs that had to make way for interactive work. */
import type { Millis } from '../ids.ts'
import type { Job, SchedulerState } from '../state.ts'

/** What is known of jobs that had to make way. */
export interface Preemption {
  holdMs: Millis
  readonly jobs: Map<Job, Paused>
}

export interface Paused {
  times: number
  /** When it waits again, if it is paused; null = it is not. */
  resumeAt: Millis | null
  resumedAt: Millis | null
}

export function createPreemption(holdMs: Millis): Preemption {
  return { holdMs, jobs: new Map() }
}

/** The job has ended. */
export function forgetPreempted({ preemption }: SchedulerState, job: Job): void {
  preemption.jobs.delete(job)
}
