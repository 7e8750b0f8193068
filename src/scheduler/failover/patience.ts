/**
 * How long a step of a task may compute before its worker counts as hung: four times what steps of its model took of late, all but the slowest of a
 * hundred; for a request of more work than others, in proportion to that. Nothing is said before enough steps were seen, so that nobody who is only slow
 * is ended for it. A task whose worker has died gets much more: were the limit wrong, it would never come to its end.
 */
import type { Millis } from '../ids.ts'
import type { SchedulerState, Slot, Task, Version } from '../state.ts'

/** The longest gaps between two reports of a task, in this block of steps and the one before: each is at least as long as the step in it. */
export interface StepTimes {
  count: number
  msMax: number
  formerMsMax: number
  /** For each unit of work that its job announced. */
  msPerWorkMax: number
  formerMsPerWorkMax: number
}

const blockLength = 100

export function noStepTimes(): StepTimes {
  return { count: 0, msMax: 0, formerMsMax: 0, msPerWorkMax: 0, formerMsPerWorkMax: 0 }
}

/** Its worker has reported a step of the task, or its end. */
export function noteReport(task: Task, now: Millis): void {
  const { reportedAt, job, version } = task
  task.reportedAt = now
  // Reports that came together say nothing about the time between them.
  if (reportedAt === null || reportedAt === now) return
  noteStep(version.learnt.steps, now - reportedAt, job.work)
}

/** Null = nothing is known yet. */
export function stepMsMaxOf({ settings }: SchedulerState, { version, job, isSuspect }: Task): Millis | null {
  const { count, msMax, formerMsMax, msPerWorkMax, formerMsPerWorkMax } = version.learnt.steps
  if (settings.selfBatchingEngines.includes(version.spec.engine)) return null
  if (formerMsMax === 0 && count < settings.stepsUntilPatienceIsKnown) return null
  const usualMs = Math.max(msMax, formerMsMax, job.work * Math.max(msPerWorkMax, formerMsPerWorkMax))
  const limitMs = settings.stepPatience * usualMs
  return Math.ceil(isSuspect ? Math.max(settings.suspectStepMsMin, settings.suspectPatience * limitMs) : limitMs)
}

/**
 * How long a load may compute without reading anything, or ending a component. Null = nothing is known yet. It doubles with every death of a worker in
 * that place: if the limit is wrong, a model that has become slower would never be loaded again.
 */
export function loadMsMaxOf(
  { settings }: SchedulerState,
  { learnt }: Version,
  { deaths, openings }: Slot,
): Millis | null {
  if (learnt.loadMs === null) return null
  return Math.ceil(settings.stepPatience * learnt.loadMs * 2 ** Math.min(deaths + openings, doublingsMax))
}
const doublingsMax = 10

function noteStep(times: StepTimes, ms: Millis, work: number): void {
  if (times.count === blockLength) {
    times.formerMsMax = times.msMax
    times.formerMsPerWorkMax = times.msPerWorkMax
    times.msMax = 0
    times.msPerWorkMax = 0
    times.count = 0
  }
  times.count += 1
  times.msMax = Math.max(times.msMax, ms)
  times.msPerWorkMax = Math.max(times.msPerWorkMax, ms / work)
}
