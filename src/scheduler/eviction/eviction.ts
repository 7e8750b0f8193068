/**
 * Making room on a device, only when a load needs it. First go processes that hold nothing, then idle models, those that are worth least by the policy
 * that is set. A model with work is asked to make room only when another has waited too long for memory, so that two that do not fit together take turns.
 */
import type { DecisionReason, Score } from '../explain/decisions.ts'
import type { Millis } from '../ids.ts'
import { unload } from '../memory/loading.ts'
import type { Device, LiveResidency } from '../state.ts'
import type { Turn } from '../turn.ts'
import { stopWorker } from '../workers/workers.ts'
import { type Ranked, valueScore } from './ranking.ts'
import { busy, idleAndHeld, type ModelVictim, unused } from './unused.ts'
import { type Choice, choose, type Need, noVictims } from './victims.ts'

/** Starts to free what `need` misses; the load comes when it is free. Changes nothing and answers false if that is not enough. */
export function makeRoom(turn: Turn, device: Device, need: Need): boolean {
  const { state, now } = turn
  const reason = state.settings.eviction === 'lru' ? 'least_recently_used' : 'least_valuable'
  return dismiss(turn, device, need, choose(state, device, need, unused(state, device, need, now), noVictims), reason)
}

/**
 * As `makeRoom`, but what stays for users who may come back goes too, and models in use finish what they run and go as well, except those that have
 * just come or have a job that was moved before and has gained nothing by it; last of all those that cannot come back, because with them the jobs end
 * that wait for them.
 */
export function askToYield(turn: Turn, device: Device, need: Need): boolean {
  const { state, now } = turn
  const last = [...idleAndHeld(state, device, need, now), ...busy(state, device, need, now)]
  const choice = choose(state, device, need, unused(state, device, need, now), last)
  return dismiss(turn, device, need, choice, 'others_waited_too_long')
}

/**
 * As `makeRoom`, but `busy` goes too, after everything that is unused, or instead of all unused models; `prepare` is told each of those before it goes.
 */
export function makeRoomBy(
  turn: Turn,
  device: Device,
  need: Need,
  victims: { readonly busy: readonly ModelVictim[]; readonly instead: boolean },
  reason: DecisionReason,
  prepare: (residency: LiveResidency) => void,
): boolean {
  const { state, now } = turn
  const { busy: last, instead } = victims
  const idle = unused(state, device, need, now)
  const choice = choose(state, device, need, instead ? { ...idle, models: [], rest: [] } : idle, last)
  for (const each of last) if (choice?.victims.includes(each)) prepare(each.residency)
  return dismiss(turn, device, need, choice, reason)
}

function dismiss(
  turn: Turn,
  device: Device,
  { versionId: forVersionId }: Need,
  choice: Choice | null,
  reason: DecisionReason,
): boolean {
  for (const victim of choice?.victims ?? []) {
    if ('worker' in victim) {
      stopWorker(turn, victim.worker, 'idle_worker', forVersionId)
      continue
    }
    const scores = scoresOf(device, victim, choice?.spared ?? [], turn.now)
    unload(turn, victim.residency, 'evicted', reason, { forVersionId, scores })
  }
  return choice !== null
}

/** Who leaves, and who came next. */
function scoresOf(device: Device, victim: ModelVictim, spared: readonly Ranked[], now: Millis): Score[] {
  const ranked = [...(victim.ranked ? [victim.ranked] : []), ...spared.slice(0, losersMax)]
  return victim.ranked ? ranked.map((each) => valueScore(device, each, now)) : []
}
const losersMax = 3
