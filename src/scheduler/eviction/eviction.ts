/**
 * Making room on a device, only when a load needs it. First go processes that hold nothing, then idle models, those that are worth least by the policy
 * that is set. A model with work is asked to make room only when another has waited too long for memory, so that two that do not fit together take turns.
 */
import type { PriorityClass } from '../events.ts'
import type { DecisionReason, Score } from '../explain/decisions.ts'
import type { Millis, VersionId } from '../ids.ts'
import { availableBytes, weightsRoomBytes } from '../memory/ledger.ts'
import { unload } from '../memory/loading.ts'
import type { Device, LiveResidency, SchedulerState } from '../state.ts'
import type { Turn } from '../turn.ts'
import { stopWorker } from '../workers/workers.ts'
import { cheapestToSuffice, firstToSuffice, isCovered, minus, type Room } from './cover.ts'
import { type Ranked, valueScore } from './ranking.ts'
import { leavingRoom } from './rooms.ts'
import { busy, idleAndHeld, type ModelVictim, modelVictim, type Unused, unused, type Victim } from './unused.ts'

export type { Victim } from './unused.ts'

/** What a load takes. The worker of its engine stays, though it may hold nothing yet. */
export interface Need extends Room {
  /** Whose load it is. */
  readonly versionId: VersionId
  readonly engine: string
  /** Of the work that it is for. Interactive work may fill the reserve, and batch work evicts nothing that interactive work has used of late. */
  readonly class: PriorityClass
  /** It has waited so long that it may do so nevertheless. */
  readonly isOverdue: boolean
}

/** Bytes that must become free before `need` fits, whichever of the two limits wants more; 0 = it fits. */
export function missingBytes(state: SchedulerState, device: Device, need: Need): number {
  const { totalBytes, weightsBytes } = minus(need, freeRoom(state, device, need))
  return Math.max(0, totalBytes, weightsBytes)
}

/** What would go before it fits, of what is not in use; null = all of that is not enough. */
export function victimsFor(state: SchedulerState, device: Device, need: Need, now: Millis): readonly Victim[] | null {
  if (missingBytes(state, device, need) === 0) return noVictims
  return choose(state, device, need, unused(state, device, need, now), noVictims)?.victims ?? null
}
const noVictims: readonly Victim[] = []

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

interface Choice {
  readonly victims: readonly Victim[]
  /** Models that could have gone and stay, whoever is worth least first. */
  readonly spared: readonly Ranked[]
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

/** Whoever goes so that the need fits with what is leaving anyway; null if all of them are not enough. `last`: only after everything that is unused. */
function choose(
  state: SchedulerState,
  device: Device,
  need: Need,
  { empty, models, rest }: Unused,
  last: readonly Victim[],
): Choice | null {
  const missing = minus(minus(need, freeRoom(state, device, need)), leavingRoom(device))
  const processes = firstToSuffice(empty, missing)
  const missingThen = processes.reduce(minus, missing)
  if (isCovered(missingThen)) return { victims: processes, spared: models }
  if (isCovered(models.reduce(minus, missingThen))) {
    const chosen =
      state.settings.eviction === 'hedge' ? cheapestToSuffice(models, missingThen) : firstToSuffice(models, missingThen)
    const spared = models.filter((each) => !chosen.includes(each))
    return { victims: [...processes, ...chosen.map(modelVictim)], spared }
  }
  const victims = firstToSuffice<Victim>([...empty, ...models.map(modelVictim), ...rest, ...last], missing)
  return isCovered(victims.reduce<Room>(minus, missing)) ? { victims, spared: [] } : null
}

/** As the ledger has it now. */
function freeRoom(state: SchedulerState, device: Device, need: Need): Room {
  return { totalBytes: availableBytes(device), weightsBytes: weightsRoomBytes(state, device, need.class) }
}
