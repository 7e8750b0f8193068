/** Loads that are tried again at a time: not before, whatever else happens does that by itself. */
import type { Millis } from '../ids.ts'
import type { SchedulerState, Version } from '../state.ts'
import { setAlarm, type Turn } from '../turn.ts'

export function tryAgainAt(state: SchedulerState, version: Version, at: Millis): void {
  if (version.retryAt !== null && version.retryAt <= at) return
  if (version.retrySlot >= 0) state.retries.removeAt(version.retrySlot)
  version.retryAt = at
  state.retries.add(version)
  setAlarm(state, at)
}

export function tryDue(turn: Turn): void {
  const { retries } = turn.state
  for (let version = retries.first(); version && Number(version.retryAt) <= turn.now; version = retries.first()) {
    retries.takeFirst()
    version.retryAt = null
    turn.unplaced.add(version)
    turn.touched.add(version)
  }
}
