/** What outlives a server besides its jobs: what the scheduler has learnt, and which models it was asked to hold or has pinned. */
import type { Config } from '../config/config.ts'
import { createState, step } from '../scheduler/core.ts'
import type { Millis } from '../scheduler/ids.ts'
import { defaultSettings, type SchedulerSettings } from '../scheduler/settings.ts'
import { restore } from '../scheduler/snapshot/restore.ts'
import { type Snapshot, snapshotLearnt } from '../scheduler/snapshot/snapshot.ts'
import type { SchedulerState } from '../scheduler/state.ts'
import type { Opening } from '../store/store.ts'
import type { AppContext } from './context.ts'
import { orOverloaded } from './or-overloaded.ts'
import { type WantedModel, WantedModels } from './wanted-models.ts'

const saveEveryMs = 30_000
/** What was learnt is kept of so many versions, for each model that may be known. */
const learntPerModel = 4

interface Saved {
  readonly scheduler: Snapshot
  readonly wanted: readonly WantedModel[]
  readonly pins: readonly WantedModel[]
}
/** As another program may have left it. */
type Found = { readonly [Name in keyof Saved]?: unknown }

/** What a server starts with: what the last one left, if this program can read it. */
export function openState(
  opening: Opening,
  config: Config,
  now: Millis,
): { readonly state: SchedulerState; readonly wanted: WantedModels; readonly pins: WantedModels } {
  const settings = settingsOf(config)
  const { snapshot, firstDecision, firstRuntimeId } = opening
  const found: Found = (snapshot === null ? null : readJson(snapshot)) ?? {}
  const wanted = new WantedModels(Array.isArray(found.wanted) ? found.wanted : [])
  const pins = new WantedModels(Array.isArray(found.pins) ? found.pins : [])
  const former = restored(found.scheduler, settings)
  if (former) step(former, { type: 'serverRestarted', firstRuntimeId }, now)
  const state = former ?? createState(settings, firstRuntimeId)
  state.decisions.continueFrom(firstDecision - 1)
  return { state, wanted, pins }
}

/** Null: it cannot be read. It holds only experience, which is cheaper to make again than to translate. */
function restored(scheduler: unknown, settings: SchedulerSettings): SchedulerState | null {
  try {
    return restore(scheduler as Snapshot, settings)
  } catch {
    return null
  }
}

function readJson(text: string): Found | null {
  try {
    const found: Found = JSON.parse(text)
    return found
  } catch {
    return null
  }
}

/** Saves now and then; a store that is too busy is asked again the next time. Ends with `signal`. */
export function keepSnapshots(context: AppContext, signal: AbortSignal): void {
  const timer = setInterval(() => void orOverloaded(saveSnapshot(context)), saveEveryMs)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer))
}

/** Resolves after the commit. */
export function saveSnapshot({ shell, wanted, pins, store }: AppContext): Promise<void> {
  const saved: Saved = { scheduler: snapshotLearnt(shell.state), wanted: wanted.all(), pins: pins.all() }
  return store.saveSnapshot(JSON.stringify(saved))
}

/** What a server's settings say of the scheduler. */
export function settingsOf(config: Config): SchedulerSettings {
  return {
    ...defaultSettings,
    learntVersionsMax: learntPerModel * config.HEARTH_MODEL_LIMIT,
    routing: config.HEARTH_ROUTING,
    queueOrder: config.HEARTH_QUEUE_ORDER,
    overtakingLimit: config.HEARTH_OVERTAKING_LIMIT,
    eviction: config.HEARTH_EVICTION,
    minimumStayLoads: config.HEARTH_MINIMUM_RESIDENCE_LOADS,
    sessionGraceMsMax: config.HEARTH_SESSION_GRACE_MS,
    interactiveHoldMs: config.HEARTH_INTERACTIVE_HOLD_MS,
    batching: { ...defaultSettings.batching, isLearnt: config.HEARTH_BATCHING === 'learnt' },
    interactiveDeviceShare: config.HEARTH_INTERACTIVE_DEVICE_SHARE,
    preemptionLimit: config.HEARTH_PREEMPTION_LIMIT,
    batchAgeingMs: config.HEARTH_BATCH_AGEING_MS,
    pressure: pressureOf(config),
    migrationIntervalMs: config.HEARTH_MIGRATION_INTERVAL_MS,
    recycleAfterTasks: config.HEARTH_RECYCLE_AFTER_TASKS,
    recycleAtLatestAfterTasks: config.HEARTH_RECYCLE_AT_LATEST,
    attemptLimit: config.HEARTH_JOB_ATTEMPTS,
    quarantineDeaths: config.HEARTH_QUARANTINE_DEATHS,
    sparesPerEngine: config.HEARTH_WARM_SPARES,
    checkpointSteps: config.HEARTH_CHECKPOINT_STEPS,
    inferenceShare: config.HEARTH_INFERENCE_SHARE,
  }
}

/** A level ends at the same part of its beginning as it does by default, so always below it. */
function pressureOf(config: Config): SchedulerSettings['pressure'] {
  const { pressure } = defaultSettings
  const { HEARTH_PRESSURE_TIGHT: tightShare, HEARTH_PRESSURE_CRITICAL: criticalShare } = config
  const rounded = (share: number) => Math.round(10_000 * share) / 10_000
  return {
    ...pressure,
    tightShare,
    tightEndShare: rounded((tightShare * pressure.tightEndShare) / pressure.tightShare),
    criticalShare,
    criticalEndShare: rounded((criticalShare * pressure.criticalEndShare) / pressure.criticalShare),
  }
}
