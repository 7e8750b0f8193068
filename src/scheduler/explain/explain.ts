/** Answers about waiting, computed when asked: why, in which place, until when. */
import type { JobId, Millis } from '../ids.ts'
import type { Job, SchedulerState } from '../state.ts'
import { estimatedStartAt } from './estimate.ts'
import type { WaitCode } from './wait-code.ts'
import { waitReason } from './wait-reason.ts'

export interface Waiting {
  readonly code: WaitCode
  readonly reason: string
  /** From 1, over all models; null for a job that is paused: it is in no queue. */
  readonly queuePosition: number | null
  readonly estimatedStartAt: Millis | null
}

/** Null for a job that runs, has ended or is unknown. */
export function explainWait(state: SchedulerState, jobId: JobId, now: Millis): Waiting | null {
  const job = state.jobs.get(jobId)
  if (!job || job.state === 'running') return null
  const isPaused = job.state === 'paused'
  return {
    ...waitReason(state, job, now),
    queuePosition: isPaused ? null : queuePosition(state, job),
    estimatedStartAt: isPaused || state.draining ? null : estimatedStartAt(state, job, now),
  }
}

function queuePosition({ waiting }: SchedulerState, job: Job): number {
  const ahead = job.class === 'interactive' ? 0 : waiting.interactive.size
  return ahead + waiting[job.class].rank(job) + 1
}
