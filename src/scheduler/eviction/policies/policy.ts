/** How eviction policies value what a device holds. */
import type { Demand } from '../../demand/demand.ts'
import type { Millis } from '../../ids.ts'
import type { SchedulerState } from '../../state.ts'

/** A model in memory, in a device or in a shadow cache. */
export interface Holding {
  readonly demand: Demand
  /** When a job of it last ended there, or it was loaded; in a shadow cache, when it was last asked for. */
  readonly usedAt: Millis
  readonly loadMs: Millis
  readonly bytes: number
  /** Where else it is in memory too. */
  readonly otherCopies: number
  /** How far values had risen when it was last asked for, and how far they have since; only GDSF lets them rise. */
  readonly risen: number
  readonly risenNow: number
}

export interface EvictionPolicy {
  /** What keeping it is worth per byte; whoever is worth least goes first. Not negative. */
  worthOf(state: SchedulerState, holding: Holding, now: Millis): number
  /** With every victim, what is asked for from then on is worth more by what the victim was worth. */
  readonly rises?: true
}

/** What reading it again would cost per byte, if nobody else has it. */
export function reloadCost({ loadMs, bytes, otherCopies }: Holding): number {
  return loadMs / Math.max(1, bytes) / (1 + otherCopies)
}
