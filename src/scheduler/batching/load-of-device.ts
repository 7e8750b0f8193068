/** How much of a device's time is taken, and whether interactive work comes so often just now that batch work should take shorter steps. */
import type { Millis } from '../ids.ts'
import type { Device } from '../state.ts'
import { type DecayedSum, fallsTo, nothingSummed, plus, sumAt } from './decayed-sum.ts'
import type { BatchingSettings } from './settings.ts'

/** Plain values: it goes into snapshots as it is. */
export interface DeviceLoad {
  /** Milliseconds of steps. */
  stepMs: DecayedSum
  /** Interactive tasks that were admitted there. */
  interactive: DecayedSum
  /** They have come often, and not yet seldom again. */
  isPeak: boolean
}

const busyTimeConstantMs = 10_000
/** A peak that began at the limit ends below this share of it, so that it does not come and go. */
const endShare = 0.6

export function noLoad(): DeviceLoad {
  return { stepMs: nothingSummed, interactive: nothingSummed, isPeak: false }
}

export function noteStep({ load }: Device, ms: number, now: Millis): void {
  load.stepMs = plus(load.stepMs, ms, now, busyTimeConstantMs)
}

/** From 0 to 1. */
export function busyShareOf({ load }: Device, now: Millis): number {
  return Math.min(1, sumAt(load.stepMs, now, busyTimeConstantMs) / busyTimeConstantMs)
}

/** True when a peak begins with it. */
export function noteInteractive({ load }: Device, now: Millis, { peakTasks, peakMs }: BatchingSettings): boolean {
  load.interactive = plus(load.interactive, 1, now, peakMs)
  const begins = !load.isPeak && load.interactive.sum > peakTasks
  load.isPeak ||= begins
  return begins
}

/** When the peak is over, if nobody comes any more. */
export function endOfPeak({ load }: Device, { peakTasks, peakMs }: BatchingSettings): Millis {
  return fallsTo(load.interactive, endShare * peakTasks, peakMs)
}

/** True when a peak has ended. */
export function endPeakIfOver(device: Device, now: Millis, settings: BatchingSettings): boolean {
  const isOver = device.load.isPeak && endOfPeak(device, settings) <= now
  if (isOver) device.load.isPeak = false
  return isOver
}

/** Steps of class batch are to be shorter there. */
export function isStrained({ load, pressure }: Device): boolean {
  return load.isPeak || pressure.level !== 'normal'
}
