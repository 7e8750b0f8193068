/** The start after a stop: what is left of the former process, and its jobs, which go on where they were in the queue. */

import { goOn } from '../admission/next-tasks.ts'
import type { RecoveredJob } from '../events.ts'
import { acceptJob } from '../jobs/accepting.ts'
import { requeueJob } from '../jobs/jobs.ts'
import { createPreemption } from '../preemption/preempted.ts'
import { createState, type SchedulerState } from '../state.ts'
import type { Turn } from '../turn.ts'

/** Specs of devices and versions are announced anew; learnt values and counters stay. */
export function dropProcess(state: SchedulerState, firstRuntimeId: number): void {
  const empty = createState(state.settings, Math.max(firstRuntimeId, state.nextRuntimeId))
  const { anticipation, pools, hintCounts } = state
  // Their devices join them again.
  for (const pool of pools.values()) Object.assign(pool, { limitBytes: 0, largestBytes: 0 })
  const { learnt, nodeSteps, engineBytes, loadMsPerByte, slowness, leastSlowness, random, nextArrival, decisions } =
    state
  const { routing } = state
  // The jobs that made way are announced anew, and wait like others.
  const preemption = createPreemption(state.preemption.holdMs)
  Object.assign(state, empty, {
    anticipation,
    pools,
    hintCounts,
    learnt,
    nodeSteps,
    engineBytes,
    loadMsPerByte,
    slowness,
    leastSlowness,
    routing,
    preemption,
    random,
    nextArrival,
    decisions,
  })
}

/**
 * Silently where users saw nothing of a job; as another attempt where they saw it at work: at once, or, if it is paused, when it goes on. A restart counts
 * against nobody.
 */
export function recoverJob(turn: Turn, spec: RecoveredJob): void {
  const { attempt, failedAttempts, deathsAlone, checkpoints, wasActive, cancelRequested, pauseRequested } = spec
  const job = acceptJob(turn, spec, { attempt, failedAttempts, deathsAlone, checkpoints })
  if (!job) return
  job.cancelRequested = cancelRequested
  if (wasActive) requeueJob(turn, job, 'server_restarted', null)
  if (pauseRequested) job.pauseCause = 'requested'
  if (pauseRequested && !wasActive && attempt > 0) job.setback = 'server_restarted'
  turn.state.recovering = !cancelRequested || turn.state.recovering
  goOn(turn, job)
}
