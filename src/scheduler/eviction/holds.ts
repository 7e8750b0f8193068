/** What stays on a device though nothing runs on it now. Every hold but a pin has an end. */
import { graceEndsAt } from '../demand/sessions.ts'
import type { Millis } from '../ids.ts'
import { isPinned } from '../pins/pins.ts'
import type { Device, LiveResidency, SchedulerState } from '../state.ts'

/** Until when the residency is not to be evicted; infinite for what is pinned, 0 for what may go. */
export function heldUntil(state: SchedulerState, residency: LiveResidency): Millis {
  if (isPinned(residency)) return Number.POSITIVE_INFINITY
  const hintedUntil = residency.version.hint?.expiresAt ?? 0
  return Math.max(minimumStayEndsAt(state, residency), graceEndsAt(state, residency), hintedUntil)
}

/** When the first hold on the device ends; infinite if there is none that does. */
export function nextHoldEnd(state: SchedulerState, { residencies }: Device, now: Millis): Millis {
  let next = Number.POSITIVE_INFINITY
  for (const residency of residencies) {
    const until = heldUntil(state, residency)
    if (until > now) next = Math.min(next, until)
  }
  return next
}

/** What has just been read stays for as long as the reading took: models that push each other out before anybody could use them do no work at all. */
function minimumStayEndsAt({ settings }: SchedulerState, { loadedAt, loadStartedAt }: LiveResidency): Millis {
  return loadedAt === null ? 0 : loadedAt + settings.minimumStayLoads * (loadedAt - loadStartedAt)
}
