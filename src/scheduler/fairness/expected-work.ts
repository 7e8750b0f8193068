/** What a job will probably cost: the work that its request announces, times what a unit of its model has cost until now. */
import { blend } from '../learning/blend.ts'
import type { SchedulerState, Version } from '../state.ts'

/** Whatever is so short that it was not seen at work has still taken somebody's time. */
const leastMs = 1

/** Milliseconds of a device. */
export function expectedMsOf({ settings }: SchedulerState, { learnt }: Version, work: number): number {
  return Math.max(leastMs, work * (learnt.unitMs ?? settings.guessedUnitMs))
}

/** How much work a job of it usually announces. */
export function learnAnnounced({ settings }: SchedulerState, { learnt }: Version, work: number): void {
  learnt.meanWork = blend(learnt.meanWork, work, settings.learningRate)
}

export function learnWork({ settings }: SchedulerState, { learnt }: Version, work: number, measuredMs: number): void {
  const unitMs = Math.max(leastMs, measuredMs) / work
  learnt.unitMs = blend(learnt.unitMs, unitMs, settings.learningRate)
}
