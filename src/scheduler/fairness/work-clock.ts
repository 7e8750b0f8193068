/**
 * Measured work: milliseconds of a device, shared by the tasks that run on it at the same time. Where interactive tasks run, batch tasks stand still. A clock per
 * device and class runs at the pace at which each of its tasks is served, so that a task's work is what its clock has advanced meanwhile.
 */
import type { Millis } from '../ids.ts'
import { deviceOf, type Task } from '../state.ts'

export interface WorkClock {
  at: Millis
  interactiveMs: number
  batchMs: number
  interactiveRunning: number
  batchRunning: number
}

export function createWorkClock(): WorkClock {
  return { at: 0, interactiveMs: 0, batchMs: 0, interactiveRunning: 0, batchRunning: 0 }
}

/** The task takes part in steps from now on. */
export function beginWork(task: Task, now: Millis): void {
  if (!task.residency) return
  const { clock } = deviceOf(task.residency)
  advance(clock, now)
  countRunning(clock, task, 1)
  task.workSince = readingFor(clock, task)
}

/** The task takes part in steps no longer. */
export function endWork(task: Task, now: Millis): void {
  if (!task.residency) return
  const { clock } = deviceOf(task.residency)
  advance(clock, now)
  countRunning(clock, task, -1)
  task.job.share.measuredMs += readingFor(clock, task) - task.workSince
}

function advance(clock: WorkClock, now: Millis): void {
  const passedMs = Math.max(0, now - clock.at)
  clock.at = now
  if (clock.interactiveRunning > 0) clock.interactiveMs += passedMs / clock.interactiveRunning
  else if (clock.batchRunning > 0) clock.batchMs += passedMs / clock.batchRunning
}

function countRunning(clock: WorkClock, { job }: Task, by: 1 | -1): void {
  if (job.class === 'interactive') clock.interactiveRunning += by
  else clock.batchRunning += by
}

function readingFor({ interactiveMs, batchMs }: WorkClock, { job }: Task): number {
  return job.class === 'interactive' ? interactiveMs : batchMs
}
