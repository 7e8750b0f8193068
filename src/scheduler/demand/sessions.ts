/**
 * The pace of sessions: whoever uses a model comes back to it after a pause like the last ones, so it stays that long. What is open longer than that
 * without a job has gone elsewhere.
 */
import type { Millis, SessionId, VersionId } from '../ids.ts'
import type { LiveResidency, SchedulerState, Version } from '../state.ts'

export interface SessionPace {
  /** Of its latest job, or of the model that it was opened with. */
  readonly version: Version
  readonly lastAt: Millis
  /** Times between its latest jobs, the newest last. */
  readonly gapsMs: readonly Millis[]
}

/** Gaps that are remembered of a session. */
const gapsMax = 16
/** Three of four pauses have been shorter. */
const quantile = 0.75

/** It is about to use the version, which stays for it if it is there. */
export function openSession(
  state: SchedulerState,
  sessionId: SessionId,
  versionId: VersionId | null,
  now: Millis,
): void {
  const version = versionId === null ? undefined : state.versions.get(versionId)
  if (version && !state.sessions.has(sessionId)) remember(state, sessionId, { version, lastAt: now, gapsMs: [] })
}

/** A job of the session. */
export function noteSession(state: SchedulerState, sessionId: SessionId, version: Version, now: Millis): void {
  const pace = state.sessions.get(sessionId)
  const gapsMs = pace ? [...pace.gapsMs, Math.max(0, now - pace.lastAt)].slice(-gapsMax) : []
  forgetSession(state, sessionId)
  remember(state, sessionId, { version, lastAt: now, gapsMs })
}

export function forgetSession({ sessions }: SchedulerState, sessionId: SessionId): void {
  sessions.get(sessionId)?.version.sessions.delete(sessionId)
  sessions.delete(sessionId)
}

/** Beyond `sessionsMax`, whoever came longest ago is forgotten. */
function remember(state: SchedulerState, sessionId: SessionId, pace: SessionPace): void {
  state.sessions.set(sessionId, pace)
  pace.version.sessions.add(sessionId)
  const [oldest] = state.sessions.keys()
  if (state.sessions.size > state.settings.sessionsMax && oldest !== undefined) forgetSession(state, oldest)
}

/** Until when the residency is to stay for sessions that use it; 0 = for none. */
export function graceEndsAt({ sessions, settings }: SchedulerState, residency: LiveResidency): Millis {
  const usedAt = residency.lastUsedAt ?? 0
  let endsAt = 0
  for (const sessionId of residency.version.sessions) {
    const pace = sessions.get(sessionId)
    if (pace) endsAt = Math.max(endsAt, Math.max(usedAt, pace.lastAt) + graceMsOf(pace, settings.sessionGraceMsMax))
  }
  return endsAt
}

function graceMsOf({ gapsMs }: SessionPace, graceMsMax: Millis): Millis {
  const ordered = [...gapsMs].sort((a, b) => a - b)
  const usual = ordered[Math.ceil(quantile * ordered.length) - 1]
  return Math.min(graceMsMax, usual ?? graceMsMax)
}
