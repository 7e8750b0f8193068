/**
 * What a routing policy is asked and told. Policies are pure: they choose among candidates that the core has put together, and keep what they must
 * remember in the state. Every device that is offered could hold the version, if everything went that is not in use.
 */
import type { PriorityClass } from '../../events.ts'
import type { Score, ScoreScheme } from '../../explain/scores.ts'
import type { Millis } from '../../ids.ts'
import type { Device, SchedulerState, Version } from '../../state.ts'

export interface RoutingPolicy {
  /** Null = none of the candidates will do; the job is bound when another could. */
  choose(view: RoutingView, request: RoutingRequest): RoutingChoice | null
}

export interface RoutingChoice {
  readonly device: Device
  readonly scheme: ScoreScheme
  /** Winner first, then the losers that came closest. */
  readonly scores: readonly Score[]
  /** The best there was, and not good enough for what the policy promises. */
  readonly isDegraded: boolean
  /** What is expected there: `noteForecast` keeps it with the job, so that the policies learn from what comes of it. */
  readonly forecast: { readonly waitMs: Millis; readonly loadMs: Millis; readonly execMs: Millis }
}

export interface RoutingRequest {
  readonly version: Version
  readonly class: PriorityClass
  /** Units that the request announces (steps x pictures, tokens, texts); 1 = unknown. */
  readonly work: number
  readonly weightsBytes: number
  /** With what it needs beside its weights. */
  readonly totalBytes: number
}

export interface RoutingView {
  readonly now: Millis
  /** Settings, demand of all versions, and what policies remember (`state.routing`). Only the latter may be changed. */
  readonly state: SchedulerState
  /** By device id. All that qualify while these are few, else a sample of them. */
  readonly candidates: readonly RoutingCandidate[]
}

export interface RoutingCandidate {
  readonly device: Device
  readonly limitBytes: number
  /** Free, or held by what is not in use: evictable memory is available memory. */
  readonly availableBytes: number
  /** Free as it is. */
  readonly freeBytes: number
  /** Until what is bound to the device, or runs there, would be done. */
  readonly outstandingMs: number
  /** Models that are there or on their way. */
  readonly residents: number
  readonly isResident: boolean
  /** What is left of loading it there; 0 where it is resident. */
  readonly loadMs: number
  /** Of the request's kind and size, there. */
  readonly execMs: number
  /** Fastest known execution of the version on any candidate / execution there; 1 = the fastest, or nothing is known. */
  readonly speed: number
  /** Share of attempts that failed there of late. */
  readonly failRate: number
  /** 1 = cool. */
  readonly temperatureFactor: number
  /** Its engine's worker there is ready. */
  readonly isStaffed: boolean
}
