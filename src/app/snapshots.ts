/** What outlives a server besides its jobs: what the scheduler has learnt, and which models it was asked to hold. */
import type { Config } from '../config/config.ts'
import { createState, step } from '../scheduler/core.ts'
import type { Millis } from '../scheduler/ids.ts'
import { restore } from '../scheduler/restore.ts'
import { defaultSettings, type SchedulerSettings } from '../scheduler/settings.ts'
import { type Snapshot, snapshotFormat, snapshotLearnt } from '../scheduler/snapshot.ts'
import type { SchedulerState } from '../scheduler/state.ts'
import type { Opening } from '../store/store.ts'
import type { AppContext } from './context.ts'
import { orOverloaded } from './or-overloaded.ts'
import { type WantedModel, WantedModels } from './wanted-models.ts'

const saveEveryMs = 30_000

interface Saved {
  readonly scheduler: Snapshot
  readonly wanted: readonly WantedModel[]
}

/** What a server starts with: what the last one left, if this program can read it. */
export function openState(
  opening: Opening,
  config: Config,
  now: Millis,
): { readonly state: SchedulerState; readonly wanted: WantedModels } {
  const settings = settingsOf(config)
  const { snapshot, firstRuntimeId } = opening
  const saved: Saved | null = snapshot === null ? null : JSON.parse(snapshot)
  const wanted = new WantedModels(saved?.wanted ?? [])
  // A snapshot of another format holds only experience: it is cheaper to learn again than to translate.
  if (saved?.scheduler.format !== snapshotFormat) return { state: createState(settings, firstRuntimeId), wanted }
  const state = restore(saved.scheduler, settings)
  step(state, { type: 'serverRestarted', firstRuntimeId }, now)
  return { state, wanted }
}

/** Saves now and then; a store that is too busy is asked again the next time. Ends with `signal`. */
export function keepSnapshots(context: AppContext, signal: AbortSignal): void {
  const timer = setInterval(() => void orOverloaded(saveSnapshot(context)), saveEveryMs)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer))
}

/** Resolves after the commit. */
export function saveSnapshot({ shell, wanted, store }: AppContext): Promise<void> {
  const saved: Saved = { scheduler: snapshotLearnt(shell.state), wanted: wanted.all() }
  return store.saveSnapshot(JSON.stringify(saved))
}

function settingsOf(config: Config): SchedulerSettings {
  return {
    ...defaultSettings,
    attemptLimit: config.HEARTH_JOB_ATTEMPTS,
    quarantineDeaths: config.HEARTH_QUARANTINE_DEATHS,
    sparesPerEngine: config.HEARTH_WARM_SPARES,
    checkpointSteps: config.HEARTH_CHECKPOINT_STEPS,
    inferenceShare: config.HEARTH_INFERENCE_SHARE,
  }
}
