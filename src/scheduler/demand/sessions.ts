/**
 * The pace of sessions: whoever uses a model comes back to it after a pause like the last ones, so it stays that long. Whoever goes to another model, or
 * closes the session, holds it no longer.
 */
import type { Millis, SessionId, VersionId } from '../ids.ts'
import type { Job, LiveResidency, SchedulerState, Version } from '../state.ts'

export interface SessionPace {
  /** Of its latest job, or of the model that it was opened with. */
  readonly version: Version
  /** When that job came or ended. */
  readonly lastAt: Millis
  /** Pauses between its jobs, the newest last. */
  readonly pausesMs: readonly Millis[]
  /** The version is to stay until then. */
  readonly graceEndsAt: Millis
}

/** Pauses that are remembered of a session. */
const pausesMax = 16
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
  if (version && !state.sessions.has(sessionId)) remember(state, sessionId, version, [], now)
}

/** A job of the session has come. */
export function noteSession(state: SchedulerState, sessionId: SessionId, version: Version, now: Millis): void {
  const pace = state.sessions.get(sessionId)
  const pausesMs = pace ? [...pace.pausesMs, Math.max(0, now - pace.lastAt)].slice(-pausesMax) : []
  forgetSession(state, sessionId)
  remember(state, sessionId, version, pausesMs, now)
}

/** A job has ended: the pause of its session begins. */
export function notePause(state: SchedulerState, { sessionId, version }: Job, now: Millis): void {
  if (sessionId === null) return
  const pace = state.sessions.get(sessionId)
  if (pace?.version !== version) return
  forgetSession(state, sessionId)
  remember(state, sessionId, version, pace.pausesMs, now)
}

export function forgetSession({ sessions }: SchedulerState, sessionId: SessionId): void {
  sessions.get(sessionId)?.version.sessions.delete(sessionId)
  sessions.delete(sessionId)
}

/** Until when the residency is to stay for sessions that use it; 0 = for none. */
export function graceEndsAt({ sessions }: SchedulerState, { version }: LiveResidency): Millis {
  let endsAt = 0
  for (const sessionId of version.sessions) endsAt = Math.max(endsAt, sessions.get(sessionId)?.graceEndsAt ?? 0)
  return endsAt
}

/** Beyond `sessionsMax`, those that came longest ago are forgotten. */
function remember(
  state: SchedulerState,
  sessionId: SessionId,
  version: Version,
  pausesMs: readonly Millis[],
  now: Millis,
): void {
  const { sessions, settings } = state
  const graceMs = graceMsOf(pausesMs, settings.sessionGraceMsMax)
  sessions.set(sessionId, { version, lastAt: now, pausesMs, graceEndsAt: now + graceMs })
  dropEnded(state, version, now)
  version.sessions.add(sessionId)
  if (sessions.size > settings.sessionsMax) forgetSome(state)
}

/** Many at a time, because looking for the first is the slow part. */
function forgetSome(state: SchedulerState): void {
  let left = Math.ceil(state.sessions.size / 8)
  for (const sessionId of state.sessions.keys()) {
    if (left === 0) return
    forgetSession(state, sessionId)
    left -= 1
  }
}

/** Those that came longest ago come first, so that only a few are looked at. */
function dropEnded({ sessions }: SchedulerState, version: Version, now: Millis): void {
  for (const sessionId of version.sessions) {
    if ((sessions.get(sessionId)?.graceEndsAt ?? 0) > now) return
    version.sessions.delete(sessionId)
  }
}

function graceMsOf(pausesMs: readonly Millis[], graceMsMax: Millis): Millis {
  const ordered = [...pausesMs].sort((a, b) => a - b)
  const usual = ordered[Math.ceil(quantile * ordered.length) - 1]
  return Math.min(graceMsMax, usual ?? graceMsMax)
}
