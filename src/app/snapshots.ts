/** What the scheduler has learnt, kept over restarts. */
import type { Config } from '../config/config.ts'
import { createState, step } from '../scheduler/core.ts'
import type { Millis } from '../scheduler/ids.ts'
import { restore } from '../scheduler/restore.ts'
import { defaultSettings, type SchedulerSettings } from '../scheduler/settings.ts'
import { type Snapshot, snapshotFormat, snapshotLearnt } from '../scheduler/snapshot.ts'
import type { SchedulerState } from '../scheduler/state.ts'
import type { Opening } from '../store/store.ts'
import type { AppContext } from './context.ts'

const saveEveryMs = 30_000

/** The state that a server starts with: learnt values of the last one, if it left any that this program can read. */
export function openState(opening: Opening, config: Config, now: Millis): SchedulerState {
  const settings = settingsOf(config)
  const { snapshot, firstRuntimeId } = opening
  const former: Snapshot | null = snapshot === null ? null : JSON.parse(snapshot)
  // A snapshot of another format holds only experience: it is cheaper to learn again than to translate.
  if (former === null || former.format !== snapshotFormat) return createState(settings, firstRuntimeId)
  const state = restore(former, settings)
  step(state, { type: 'serverRestarted', firstRuntimeId }, now)
  return state
}

/** Saves now and then. Ends with `signal`. */
export function keepSnapshots(context: AppContext, signal: AbortSignal): void {
  const timer = setInterval(() => void saveSnapshot(context), saveEveryMs)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer))
}

export function saveSnapshot({ shell, store }: AppContext): Promise<void> {
  return store.saveSnapshot(JSON.stringify(snapshotLearnt(shell.state)))
}

function settingsOf(config: Config): SchedulerSettings {
  return {
    ...defaultSettings,
    attemptLimit: config.HEARTH_JOB_ATTEMPTS,
    quarantineDeaths: config.HEARTH_QUARANTINE_DEATHS,
    sparesPerEngine: config.HEARTH_WARM_SPARES,
  }
}
