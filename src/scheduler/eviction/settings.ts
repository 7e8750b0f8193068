/** What leaves a device when memory is needed. */
import type { EvictionName } from './policies/policies.ts'

export interface EvictionSettings {
  readonly eviction: EvictionName
  /** How sharply the mixture of policies follows the one whose misses have cost least. */
  readonly hedgeRate: number
  /** What a miss still counts after one more job. */
  readonly hedgeMemory: number
  /** What each job moves the weights of the guesses about the next one. */
  readonly anticipationRate: number
  /** Users and sessions of whom the latest model is remembered. */
  readonly seekersMax: number
  /** A model stays at least this many times as long as its load took. 0 = it may go at once. */
  readonly minimumStayLoads: number
  /** A model stays for a session that used it as long as three of four of the session's pauses have lasted, and no longer than this. */
  readonly sessionGraceMsMax: number
  /** Sessions of which that is remembered. */
  readonly sessionsMax: number
}

export const defaultEviction: EvictionSettings = {
  eviction: 'hedge',
  hedgeRate: 0.1,
  hedgeMemory: 0.9995,
  anticipationRate: 0.005,
  seekersMax: 10_000,
  minimumStayLoads: 1,
  sessionGraceMsMax: 30_000,
  sessionsMax: 10_000,
}
