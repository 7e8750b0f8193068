/** Jobs that had to make way, in a snapshot. */
import type { JobId, Millis } from '../ids.ts'
import type { Paused, Preemption } from '../preemption/preempted.ts'
import type { SchedulerState } from '../state.ts'
import { found } from './restore-jobs.ts'

export interface PreemptionSnapshot {
  readonly holdMs: Millis
  readonly jobs: readonly (readonly [JobId, Paused])[]
}

export function preemptionOut({ holdMs, jobs }: Preemption): PreemptionSnapshot {
  return { holdMs, jobs: [...jobs].map(([{ jobId }, paused]) => [jobId, { ...paused }]) }
}

export function restorePreemption({ preemption, jobs }: SchedulerState, snapshot: PreemptionSnapshot): void {
  preemption.holdMs = snapshot.holdMs
  for (const [jobId, paused] of snapshot.jobs) preemption.jobs.set(found(jobs, jobId), { ...paused })
}
