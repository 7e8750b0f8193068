/**
 * What clients say they are about to ask for. A hint is demand that is expected: the version is loaded where memory is free, or where what has to go is
 * worth less than what the load would save, times how likely the hint says it is; and it stays until the hint expires. Work that is there goes first.
 */
import type { Millis, VersionId } from '../ids.ts'
import { usualLoadMs } from '../learning/times.ts'
import { isLive, type SchedulerState, type Version } from '../state.ts'
import { setAlarm, type Turn } from '../turn.ts'

export interface Hint {
  readonly probability: number
  readonly expiresAt: Millis
}

/** Hints whose end is known. */
export interface HintCounts {
  used: number
  expired: number
}

export function takeHint(turn: Turn, versionId: VersionId, withinMs: Millis, probability: number): void {
  const { state, now } = turn
  const version = state.versions.get(versionId)
  if (!version || !(withinMs > 0) || !(probability > 0)) return
  const before = version.hint
  version.hint = {
    probability: Math.min(1, Math.max(probability, before?.probability ?? 0)),
    // It takes its load to become true; until then nothing is lost by waiting a little longer.
    expiresAt: Math.max(now + withinMs + usualLoadMs(state, version), before?.expiresAt ?? 0),
  }
  state.hinted.add(version)
  setAlarm(state, version.hint.expiresAt)
  turn.touched.add(version)
}

/** A job of it has come. */
export function fulfilHint(state: SchedulerState, version: Version): void {
  if (version.hint) endHint(state, version, 'used')
}

export function expireHints(turn: Turn): void {
  const { state, now } = turn
  for (const version of state.hinted) {
    if (version.hint && version.hint.expiresAt > now) continue
    endHint(state, version, 'expired')
    turn.touched.add(version)
  }
}

/** It can never come true. */
export function dropHint(turn: Turn, version: Version): void {
  endHint(turn.state, version, 'expired')
  turn.touched.add(version)
}

/** It is expected, and nowhere yet. */
export function isHintOpen({ hint, residencies }: Version): boolean {
  return hint !== null && !residencies.some(isLive)
}

/** What the load would save, as likely as the hint says, is more than what is lost with what has to go. */
export function isHintWorth(state: SchedulerState, version: Version, lostMs: Millis): boolean {
  return lostMs === 0 || (version.hint?.probability ?? 0) * usualLoadMs(state, version) > lostMs
}

function endHint(state: SchedulerState, version: Version, end: keyof HintCounts): void {
  version.hint = null
  state.hinted.delete(version)
  state.hintCounts[end] += 1
}
