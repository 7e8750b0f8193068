/**
 * The scheduler's life as lines of JSON: first the state, then every event with its time and what came of it. `src/simulator/replay.ts` reads them:
 * the same state, fed the same events, must give the same commands to the byte.
 */
import type { Command } from '../commands.ts'
import type { SchedulerEvent } from '../events.ts'
import type { Millis } from '../ids.ts'
import type { SchedulerState } from '../state.ts'
import { type Snapshot, snapshot } from './snapshot.ts'

export interface Opening {
  readonly snapshot: Snapshot
}

export interface RecordedStep {
  readonly now: Millis
  readonly event: SchedulerEvent
  readonly commands: readonly Command[]
}

/** Without the line's end. */
export function recordOpening(state: SchedulerState): string {
  return JSON.stringify({ snapshot: snapshot(state) } satisfies Opening)
}

/** Without the line's end. */
export function recordLine(now: Millis, event: SchedulerEvent, commands: readonly Command[]): string {
  return JSON.stringify({ now, event, commands } satisfies RecordedStep)
}
