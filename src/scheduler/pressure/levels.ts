/**
 * How short of memory a device is. Memory that idle models hold counts as available, because it can be had at once: a device that is full of them is
 * healthy. Beside what the ledger knows counts what the system says, the share of time in which work stood still for want of memory. A level rises
 * at once; it falls when the signs have been below its end for a while, so that it does not come and go.
 */
import type { Millis } from '../ids.ts'

const pressureLevels = ['normal', 'tight', 'critical'] as const
type PressureLevel = (typeof pressureLevels)[number]

/** Plain values: it goes into snapshots as it is. */
export interface Pressure {
  level: PressureLevel
  /** Of the time, lately, in which something waited for memory; 0 to 1. */
  stallShare: number
  /** Since when the signs are those of a lower level; null = they are not. */
  calmSince: Millis | null
}

export interface PressureSettings {
  /** Share of a device's limit in use that could not be had at once, from which it is tight or critical, and below which that ends. */
  readonly tightShare: number
  readonly tightEndShare: number
  readonly criticalShare: number
  readonly criticalEndShare: number
  /** Share of time in which work stands still for want of memory, from which the device is tight or critical; half of it ends that. */
  readonly tightStallShare: number
  readonly criticalStallShare: number
  /** How long the signs must be those of a lower level before it falls. */
  readonly calmMs: number
  /** Share of the limit that is freed beside what others have taken, so that not every measurement asks for more. */
  readonly marginShare: number
}

export const defaultPressure: PressureSettings = {
  tightShare: 0.85,
  tightEndShare: 0.8,
  criticalShare: 0.95,
  criticalEndShare: 0.88,
  tightStallShare: 0.1,
  criticalStallShare: 0.4,
  calmMs: 10_000,
  marginShare: 0.05,
}

export function noPressure(): Pressure {
  return { level: 'normal', stallShare: 0, calmSince: null }
}

/** True when the level has changed. `usedShare`: of the limit, what is in use and could not be had at once. */
export function judge(pressure: Pressure, usedShare: number, now: Millis, settings: PressureSettings): boolean {
  const seen = levelOf(pressure, usedShare, settings)
  if (rankOf(seen) > rankOf(pressure.level)) return moveTo(pressure, seen)
  if (seen === pressure.level) {
    pressure.calmSince = null
    return false
  }
  pressure.calmSince ??= now
  return now >= pressure.calmSince + settings.calmMs && moveTo(pressure, seen)
}

/** When it falls if the signs stay as they are; null = it does not. */
export function fallsAt({ calmSince }: Pressure, { calmMs }: PressureSettings): Millis | null {
  return calmSince === null ? null : calmSince + calmMs
}

/** What the signs say: the level that they call for, or the present one while they are not yet below its end. */
function levelOf({ level, stallShare }: Pressure, usedShare: number, settings: PressureSettings): PressureLevel {
  const isAt = (share: number, stalls: number) => usedShare >= share || stallShare >= stalls
  if (isAt(settings.criticalShare, settings.criticalStallShare)) return 'critical'
  if (level === 'critical' && isAt(settings.criticalEndShare, settings.criticalStallShare / 2)) return 'critical'
  if (isAt(settings.tightShare, settings.tightStallShare)) return 'tight'
  if (level !== 'normal' && isAt(settings.tightEndShare, settings.tightStallShare / 2)) return 'tight'
  return 'normal'
}

function moveTo(pressure: Pressure, level: PressureLevel): true {
  pressure.level = level
  pressure.calmSince = null
  return true
}

function rankOf(level: PressureLevel): number {
  return pressureLevels.indexOf(level)
}
