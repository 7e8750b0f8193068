/** What experience teaches about a version: means in which the newest value weighs most. Null = nothing is known yet. */
import { copyDemand, type Demand, noDemand } from '../demand/demand.ts'
import { noStepTimes, type StepTimes } from '../failover/patience.ts'
import type { Millis } from '../ids.ts'
import { deviceOf, type LiveResidency, type SchedulerState, type Task } from '../state.ts'
import { blend } from './blend.ts'
import { type LearntThere, learnThere } from './places.ts'
import { learnSpeed } from './speeds.ts'

export interface Learnt {
  /** From a task's start to its end. */
  execMs: number | null
  /** Between two ends in one worker while it has all the tasks that it can take: what each task ahead costs the next one. */
  serviceMs: number | null
  loadMs: number | null
  weightsBytes: number | null
  workingBytes: number | null
  /** Where it has run or been loaded of late, the newest last. */
  readonly places: LearntThere[]
  /** Units of work that a job of it announces. */
  meanWork: number | null
  /** What a unit of it costs, milliseconds of a device. */
  unitMs: number | null
  /** How long its steps took. */
  readonly steps: StepTimes
  readonly demand: Demand
}

export function nothingLearnt(): Learnt {
  return {
    execMs: null,
    serviceMs: null,
    loadMs: null,
    weightsBytes: null,
    workingBytes: null,
    places: [],
    meanWork: null,
    unitMs: null,
    steps: noStepTimes(),
    demand: noDemand(),
  }
}

/** So that what one state learns, another does not. */
export function copyLearnt({ demand, places, steps, ...facts }: Learnt): Learnt {
  return { ...facts, steps: { ...steps }, places: places.map((place) => ({ ...place })), demand: copyDemand(demand) }
}

/** A start and an end that were reported together say nothing about the time between them. */
export function learnExecution(state: SchedulerState, task: Task, now: Millis): void {
  if (task.startedAt === null || task.startedAt === now) return
  const { learnt } = task.version
  const { learningRate } = state.settings
  const execMs = now - task.startedAt
  if (task.residency) {
    const device = deviceOf(task.residency)
    learnSpeed(state, task.version, device, execMs)
    learnThere(learnt.places, device, { execMs }, learningRate)
  }
  learnt.execMs = blend(learnt.execMs, execMs, learningRate)
}

export function learnLoad(state: SchedulerState, residency: LiveResidency, loadMs: number, weightsBytes: number): void {
  const { learnt } = residency.version
  const { learningRate } = state.settings
  learnt.loadMs = blend(learnt.loadMs, loadMs, learningRate)
  learnThere(learnt.places, deviceOf(residency), { loadMs }, learningRate)
  if (weightsBytes > 0) state.loadMsPerByte = blend(state.loadMsPerByte, loadMs / weightsBytes, learningRate)
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
