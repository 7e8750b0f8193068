/**
 * How long a version loads and runs on a device: as learnt there, else as learnt elsewhere, else predicted from its size. Never unknown: a guess that
 * is off by a factor still orders devices, and the first measurement replaces it.
 */
import type { Device, SchedulerState, Version } from '../state.ts'
import { type Learnt, serviceMsOf } from './learning.ts'
import { thereOf } from './places.ts'
import { slownessOf } from './speeds.ts'

export function loadMsOf(state: SchedulerState, version: Version, device: Device): number {
  return thereOf(version.learnt.places, device)?.loadMs ?? usualLoadMs(state, version)
}

/** On whichever device. */
export function usualLoadMs(state: SchedulerState, { learnt, spec }: Version): number {
  if (learnt.loadMs !== null) return learnt.loadMs
  const bytes = learnt.weightsBytes ?? spec.weightsBytes
  return bytes * (state.loadMsPerByte ?? state.settings.guessedLoadMsPerByte)
}

/** Of one task. `work`: the units that the request announces; 1 = unknown, and then it takes what a task usually takes. */
export function execMsOf(state: SchedulerState, version: Version, device: Device, work = 1): number {
  const there = thereOf(version.learnt.places, device)?.execMs
  const execMs = there ?? usualExecMs(state, version) * slownessOf(state, device)
  return execMs * workFactor(version.learnt, work)
}

/** Of one task, on whichever device. */
export function usualExecMs({ settings }: SchedulerState, { learnt }: Version): number {
  return learnt.execMs ?? settings.guessedExecMs
}

/** What each task ahead costs the next one on whichever device. */
export function usualServiceMs(state: SchedulerState, { learnt, spec }: Version): number {
  return serviceMsOf(learnt, spec.batchLimit) ?? state.settings.guessedExecMs / spec.batchLimit
}

/** A request of twice the usual work takes about twice as long; what is far from anything seen is not believed. */
function workFactor({ meanWork }: Learnt, work: number): number {
  if (meanWork === null || work === 1) return 1
  return Math.min(8, Math.max(1 / 8, work / meanWork))
}
