/** The start after a stop: what is left of the former process, and its jobs, which go on where they were in the queue. */
import type { RecoveredJob } from './events.ts'
import { acceptJob, cancelIfGone, enqueueReady, requeueJob } from './jobs.ts'
import { createState, type SchedulerState } from './state.ts'
import type { Turn } from './turn.ts'

/** Specs of devices and versions are announced anew; learnt values and counters stay. */
export function dropProcess(state: SchedulerState, firstRuntimeId: number): void {
  const empty = createState(state.settings, Math.max(firstRuntimeId, state.nextRuntimeId))
  const { learnt, engineBytes, nextOrder, decisions } = state
  Object.assign(state, empty, { learnt, engineBytes, nextOrder, decisions })
}

/** Silently where users saw nothing of a job; as another attempt where they saw it at work. A restart counts against nobody. */
export function recoverJob(turn: Turn, spec: RecoveredJob): void {
  const { attempt, failedAttempts, deathsAlone, wasActive, cancelRequested } = spec
  const job = acceptJob(turn, spec, { attempt, failedAttempts, deathsAlone })
  if (!job) return
  job.cancelRequested = cancelRequested
  if (cancelRequested) return cancelIfGone(turn, job)
  if (wasActive) requeueJob(turn, job, 'server_restarted', null)
  turn.state.recovering = true
  enqueueReady(turn, job, deathsAlone > 0)
}
