/** How a workload is run, and the settings of the scheduler that follow from it. */
import type { EvictionName } from '../../scheduler/eviction/policies/policies.ts'
import type { Millis } from '../../scheduler/ids.ts'
import { defaultSettings, type RoutingName, type SchedulerSettings } from '../../scheduler/settings.ts'

export interface TraceOptions {
  readonly policy: EvictionName
  readonly routing: RoutingName
  readonly devices: number
  readonly memoryGb: number
  /** arrival: no job goes before one that came earlier. */
  readonly order: SchedulerSettings['queueOrder']
  /** none: work and loads take no time, and each request is served before the next one comes. recorded: they take what the workload says. */
  readonly execution: 'none' | 'recorded'
  /** Gaps between requests are divided by it. */
  readonly compress: number
  /** For what is drawn while it runs. */
  readonly seed: number
  /** Standard deviation of the logarithm of load and execution times around what the workload says; 0 = exactly that. */
  readonly jitter: number
  /** Load times vary by these factors, one drawn for each load; empty = by jitter alone. */
  readonly loadFactors: readonly number[]
  /** Of the requests, the first ones, which are served and not counted. */
  readonly warmupShare: number
  /** An endless backlog of batch work beside the requests. */
  readonly batchBacklog: boolean
  /** Pauses and changes of mind take effect at the ends of steps, which last so long. */
  readonly stepMs: Millis
  /** The invariants are checked after every event. */
  readonly check: boolean
  readonly settings: Partial<SchedulerSettings>
}

export const defaultTraceOptions: TraceOptions = {
  policy: 'hedge',
  routing: 'ect',
  devices: 8,
  memoryGb: 24,
  order: 'residency',
  execution: 'recorded',
  compress: 1,
  seed: 1,
  jitter: 0,
  loadFactors: [],
  warmupShare: 0.1,
  batchBacklog: false,
  stepMs: 700,
  check: false,
  settings: {},
}

/**
 * Sizes of a workload are all that a model takes: models may fill a device to the last byte, which is no pressure there, because nothing grows beside
 * them.
 */
export function settingsFor({ policy, routing, order, execution, settings }: TraceOptions): SchedulerSettings {
  return {
    ...defaultSettings,
    eviction: policy,
    routing,
    queueOrder: order,
    weightsShare: 1,
    runtimeBytes: 0,
    sparesPerEngine: 0,
    recycleAfterTasks: Number.MAX_SAFE_INTEGER,
    recycleAtLatestAfterTasks: Number.MAX_SAFE_INTEGER,
    decisionRingSize: 100,
    pressure: { ...defaultSettings.pressure, ...neverTight },
    ...(execution === 'none' ? nothingHeld : {}),
    ...settings,
  }
}

const neverTight = { tightShare: 2, tightEndShare: 2, criticalShare: 2, criticalEndShare: 2 }

/** Where each request is served before the next one comes, what is kept for somebody would only be in the way of the policy. */
const nothingHeld: Partial<SchedulerSettings> = { minimumStayLoads: 0, sessionGraceMsMax: 0, interactiveHoldMs: 0 }
