/**
 * Jobs that wait or are paused past their deadline fail at once. One with a task that a worker steps is left to that worker, which ends it at its next step.
 * The shell keeps one timer, for the earliest of all times at which something is due; a timer that has become needless fires without harm.
 */

import { endPeaks } from '../batching/policy-changes.ts'
import { expireHints } from '../demand/hints.ts'
import { closeCircuits } from '../failover/circuit.ts'
import { hurry } from '../fairness/turns.ts'
import type { Millis } from '../ids.ts'
import { moveDue } from '../placement/migration.ts'
import { tryDue } from '../placement/retries.ts'
import { resumePreempted } from '../preemption/preemption.ts'
import { lookAgain } from '../pressure/pressure.ts'
import type { Job, SchedulerState } from '../state.ts'
import type { Turn } from '../turn.ts'
import { failJob } from './jobs.ts'
import { endClimbs } from './memory-ladder.ts'

/** What waits and has little time left goes ahead, as far as its user's share allows. */
export function hurryDue(turn: Turn): void {
  for (let job = nextToHurry(turn.state); job && hurryAt(job) <= turn.now; job = nextToHurry(turn.state)) {
    turn.state.approaching.takeFirst()
    hurry(turn, job)
  }
}

/** Others have been admitted or have ended meanwhile. */
function nextToHurry({ approaching, jobs }: SchedulerState): Job | undefined {
  for (let job = approaching.first(); job; job = approaching.first()) {
    if (!job.share.isServed && jobs.get(job.jobId) === job) return job
    approaching.takeFirst()
  }
  return undefined
}

function hurryAt({ share }: Job): Millis {
  return share.hurryAt ?? Number.POSITIVE_INFINITY
}

export function expireDue(turn: Turn): void {
  const { deadlines } = turn.state
  for (let job = deadlines.first(); job && Number(job.deadlineAt) <= turn.now; job = deadlines.first())
    failJob(turn, job, 'DEADLINE_EXCEEDED', true, null)
}

/** What was held back until now may go on. */
export function ringAlarms(turn: Turn): void {
  const { alarms, devices } = turn.state
  closeCircuits(turn)
  tryDue(turn)
  moveDue(turn)
  if (alarms[0] === undefined || alarms[0] > turn.now) return
  expireHints(turn)
  endPeaks(turn)
  endClimbs(turn)
  lookAgain(turn)
  resumePreempted(turn)
  while (alarms[0] !== undefined && alarms[0] <= turn.now) alarms.shift()
  turn.staffingDue = true
  for (const device of devices.values()) if (device.leaseTurn) turn.leasesDue.add(device)
}

/** Moves the timer only forward in time: when it fires too early, it is set anew. */
export function keepTimer(turn: Turn): void {
  const { state, commands } = turn
  const deadlineAt = state.deadlines.first()?.deadlineAt ?? Number.POSITIVE_INFINITY
  const hurried = nextToHurry(state)
  const nextAt = Math.min(
    deadlineAt,
    hurried ? hurryAt(hurried) : Number.POSITIVE_INFINITY,
    state.alarms[0] ?? Number.POSITIVE_INFINITY,
  )
  if (nextAt >= (state.timerAt ?? Number.POSITIVE_INFINITY)) return
  state.timerAt = nextAt
  commands.push({ type: 'setTimer', at: nextAt })
}
