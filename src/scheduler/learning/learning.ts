/** What experience teaches about a version: means in which the newest value weighs most. Null = nothing is known yet. */
import { copyDemand, type Demand, noDemand } from '../demand/demand.ts'
import type { Millis } from '../ids.ts'
import type { LiveResidency, SchedulerState, Task } from '../state.ts'

export interface Learnt {
  /** From a task's start to its end. */
  execMs: number | null
  /** Between two ends in one worker while it has all the tasks that it can take: what each task ahead costs the next one. */
  serviceMs: number | null
  loadMs: number | null
  weightsBytes: number | null
  workingBytes: number | null
  readonly demand: Demand
}

export function nothingLearnt(): Learnt {
  return { execMs: null, serviceMs: null, loadMs: null, weightsBytes: null, workingBytes: null, demand: noDemand() }
}

/** So that what one state learns, another does not. */
export function copyLearnt({ demand, ...facts }: Learnt): Learnt {
  return { ...facts, demand: copyDemand(demand) }
}

/** Exponentially weighted mean; the first value is taken as it is. */
export function blend(mean: number | null, value: number, rate: number): number {
  return mean === null ? value : mean + rate * (value - mean)
}

/** A start and an end that were reported together say nothing about the time between them. */
export function learnExecution(state: SchedulerState, task: Task, now: Millis): void {
  if (task.startedAt === null || task.startedAt === now) return
  const { learnt } = task.version
  learnt.execMs = blend(learnt.execMs, now - task.startedAt, state.settings.learningRate)
}

/** `ended` tasks of the residency were reported together. Says something only if it was saturated all the time. */
export function learnService(state: SchedulerState, residency: LiveResidency, ended: number, now: Millis): void {
  if (residency.saturatedSince === null) return
  const { learnt } = residency.version
  learnt.serviceMs = blend(learnt.serviceMs, (now - residency.saturatedSince) / ended, state.settings.learningRate)
  residency.saturatedSince = now
}

/** What each task ahead costs the next one: as measured under load, else as the time of one, shared by a full batch. */
export function serviceMsOf(learnt: Learnt, batchLimit: number): number | null {
  return learnt.serviceMs ?? (learnt.execMs === null ? null : learnt.execMs / batchLimit)
}
