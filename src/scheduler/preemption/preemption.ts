/**
 * Interactive work that needs memory takes it from batch work at once: jobs of models that only batch work uses pause at their next step and are saved,
 * and the models go. Where memory is not what is needed nothing is paused, because interactive work goes first in every worker and on every device
 * anyway. What was paused waits again after a hold, which grows while pauses follow each other and shrinks when they do not.
 */

import { makeRoomBy } from '../eviction/eviction.ts'
import { roomOfResidency } from '../eviction/rooms.ts'
import type { ModelVictim } from '../eviction/unused.ts'
import type { Need } from '../eviction/victims.ts'
import { pauseJob, resumePaused } from '../jobs/pausing.ts'
import { isIdle } from '../memory/footprint.ts'
import { isPinned } from '../pins/pins.ts'
import { type Device, isLive, type Job, type LiveResidency, type SchedulerState } from '../state.ts'
import { setAlarm, type Turn } from '../turn.ts'
import type { Paused } from './preempted.ts'

/** A job that is not let go by its worker yet is looked at again after this. */
const lookAgainMs = 100

/** True if batch work makes room for it, where everything that is unused is not enough. */
export function preemptBatch(turn: Turn, device: Device, need: Need): boolean {
  return makeWay(turn, device, need, preemptibleOn(turn.state, device, need), false)
}

/**
 * True if batch work makes room for it with models that it can do without there, because it has another: sooner than models go that users come back
 * to. Batch work of a long queue asks for many copies.
 */
export function preemptSurplus(turn: Turn, device: Device, need: Need): boolean {
  const [, ...surplus] = preemptibleOn(turn.state, device, need).sort((a, b) => b.admitted - a.admitted)
  return makeWay(turn, device, need, surplus.sort(byArrival), true)
}

function makeWay(
  turn: Turn,
  device: Device,
  need: Need,
  residencies: readonly LiveResidency[],
  instead: boolean,
): boolean {
  if (residencies.length === 0) return false
  const victims = { busy: residencies.map(victim), instead }
  return makeRoomBy(turn, device, need, victims, 'interactive_work', (residency) => pauseJobsOf(turn, residency))
}

/** Who came last first. */
function preemptibleOn(state: SchedulerState, device: Device, need: Need): LiveResidency[] {
  if (need.class !== 'interactive') return []
  return [...device.residencies].filter((each) => isPreemptible(state, each)).sort(byArrival)
}

/** To be asked when alarms ring: oldest first. */
export function resumePreempted(turn: Turn): void {
  const { state, now } = turn
  const due = [...state.preemption.jobs].filter(([, { resumeAt }]) => resumeAt !== null && resumeAt <= now)
  for (const [job, paused] of due.sort(([a], [b]) => a.arrival - b.arrival)) {
    if (job.tasksAtWorkers > 0) {
      paused.resumeAt = now + lookAgainMs
      setAlarm(state, paused.resumeAt)
      continue
    }
    paused.resumeAt = null
    paused.resumedAt = now
    resumePaused(turn, job, 'interactive_work')
  }
}

/** Only batch work uses it or waits for it, and none of that has had to make way too often. */
function isPreemptible(state: SchedulerState, residency: LiveResidency): boolean {
  const { interactive, lanes, version, worker } = residency
  if (!isLive(residency) || residency.state !== 'resident' || isPinned(residency) || worker.alone) return false
  // What nothing uses goes by its worth, or is held for somebody.
  if (isIdle(residency)) return false
  if (interactive + lanes.interactive.size + version.lanes.interactive.size > 0) return false
  for (const job of residency.jobs) {
    const times = state.preemption.jobs.get(job)?.times ?? 0
    if (job.isStuck || times >= state.settings.preemptionLimit) return false
  }
  return true
}

function pauseJobsOf(turn: Turn, { jobs, worker }: LiveResidency): void {
  // Who pauses before it has begun leaves its home.
  const atHome = [...jobs]
  for (const job of atHome) {
    const isAtWork = job.tasks.some(({ state, residency }) => state === 'started' && residency?.worker === worker)
    // What somebody has paused is let go.
    if (job.pauseCause !== null || job.cancelRequested) continue
    // What has not started is taken back, and has made way as well: its model could come and go for ever.
    if (!isAtWork) {
      recordOf(turn.state, job).times += 1
      continue
    }
    notePause(turn, job)
    pauseJob(turn, job.jobId, 'interactive_work')
  }
}

function recordOf({ preemption }: SchedulerState, job: Job): Paused {
  const known = preemption.jobs.get(job)
  if (known) return known
  const made: Paused = { times: 0, resumeAt: null, resumedAt: null }
  preemption.jobs.set(job, made)
  return made
}

function notePause({ state, now }: Turn, job: Job): void {
  const { preemption, settings } = state
  const paused = recordOf(state, job)
  const isSoon = paused.resumedAt !== null && now < paused.resumedAt + settings.preemptionHoldMsMax
  preemption.holdMs = isSoon
    ? Math.min(settings.preemptionHoldMsMax, 2 * preemption.holdMs)
    : Math.max(settings.preemptionHoldMsMin, preemption.holdMs / 2)
  paused.times += 1
  paused.resumeAt = now + preemption.holdMs
  setAlarm(state, paused.resumeAt)
}

function victim(residency: LiveResidency): ModelVictim {
  return { residency, ranked: null, ...roomOfResidency(residency) }
}

/** Who came last has most of its time before it. */
function byArrival(a: LiveResidency, b: LiveResidency): number {
  return Number(b.loadedAt) - Number(a.loadedAt) || a.residencyId - b.residencyId
}
