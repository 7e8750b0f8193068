/**
 * What a job teaches the routing policies once it has succeeded: what was predicted when its device was chosen, against what it took. Jobs that failed,
 * paused or had to begin again teach nothing.
 */
import type { DeviceId, Millis } from '../../ids.ts'
import type { Job, SchedulerState } from '../../state.ts'
import { isLong } from './complexity.ts'
import type { RoutingMemory } from './memory.ts'
import type { RoutingChoice } from './policy.ts'
import { learnWork, newWorkModel } from './work-model.ts'

/** What was said of a job when its device was chosen, and when it began there. */
export interface Forecast {
  readonly deviceId: DeviceId
  readonly at: Millis
  readonly waitMs: Millis
  readonly loadMs: Millis
  readonly execMs: Millis
  /** The attempt that began. */
  attempt: number
  startedAt: Millis | null
}

const devicesMax = 64
const sizeRate = 0.02
const workMemory = 0.995

export function noteForecast(job: Job, { device, forecast }: RoutingChoice, now: Millis): void {
  job.forecast = { deviceId: device.spec.deviceId, at: now, ...forecast, attempt: 0, startedAt: null }
}

export function noteStart({ forecast, attempt }: Job, now: Millis): void {
  if (forecast?.startedAt !== null) return
  forecast.startedAt = now
  forecast.attempt = attempt
}

export function learnOutcome(state: SchedulerState, job: Job, now: Millis): void {
  const { forecast } = job
  if (!forecast || forecast.startedAt === null || forecast.attempt !== job.attempt) return
  const execMs = now - forecast.startedAt
  // A start and an end that were reported together say nothing about the time between them.
  if (execMs <= 0) return
  learnSizes(state, job, execMs)
  learnTrust(state, job, forecast, execMs)
}

function learnSizes({ routing, settings }: SchedulerState, { version, work }: Job, execMs: Millis): void {
  const { versionId } = version.spec
  const model = routing.workModels.get(versionId) ?? newWorkModel()
  routing.workModels.set(versionId, model)
  learnWork(model, work, execMs, settings.workQuantile)
  routing.shortMs *= workMemory
  routing.longMs *= workMemory
  if (isLong(routing, execMs)) routing.longMs += execMs
  else routing.shortMs += execMs
  routing.shortMsMax = nearerQuantile(routing.shortMsMax ?? execMs, execMs, settings.shortShare)
}

/** One step of the search for the value that so large a share of all values does not exceed. */
function nearerQuantile(quantile: number, value: number, share: number): number {
  return quantile * Math.exp(sizeRate * (value > quantile ? share : share - 1))
}

function learnTrust(
  { routing, settings }: SchedulerState,
  { version }: Job,
  { deviceId, at, waitMs, loadMs, execMs: predictedMs, startedAt }: Forecast,
  execMs: Millis,
): void {
  const { trust } = routing
  const { feedbackRate, feedbackMax } = settings
  const towards = (before: number, ratio: number) =>
    before + feedbackRate * (clamp(ratio, 1 - feedbackMax, 1 + feedbackMax) - before)
  const waited = Number(startedAt) - at
  // Loading and waiting cannot be told apart afterwards: the greater of the two gets the blame.
  if (loadMs > waitMs) trust.load = towards(trust.load, waited / (loadMs + waitMs))
  else if (waitMs > 0) trust.wait = towards(trust.wait, waited / (loadMs + waitMs))
  if (predictedMs <= 0) return
  trust.exec = towards(trust.exec, execMs / predictedMs)
  const bias = biasesOf(routing, version.spec.versionId)
  const before = bias.get(deviceId) ?? 0
  bias.delete(deviceId)
  bias.set(deviceId, towards(1 + before, execMs / predictedMs / trust.exec) - 1)
  for (const oldest of bias.keys()) {
    if (bias.size <= devicesMax) break
    bias.delete(oldest)
  }
}

function biasesOf({ biases }: RoutingMemory, versionId: Job['version']['spec']['versionId']): Map<DeviceId, number> {
  const known = biases.get(versionId) ?? new Map<DeviceId, number>()
  biases.set(versionId, known)
  return known
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
