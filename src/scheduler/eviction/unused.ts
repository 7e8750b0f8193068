/** Who could leave a device, in groups: whoever costs least to bring back comes first. */
import type { Millis } from '../ids.ts'
import { isIdle } from '../memory/footprint.ts'
import { type Device, isLive, type LiveResidency, type SchedulerState, type Worker } from '../state.ts'
import { engineBytes, isIdleWorker } from '../workers/workers.ts'
import type { Room } from './cover.ts'
import { heldUntil } from './holds.ts'
import { cannotReturn, type Ranked, rank } from './ranking.ts'
import { roomOfResidency, roomOfWorker, workersOn } from './rooms.ts'
import type { Need } from './victims.ts'

/** A worker that stops gives back its own memory; what its models hold is counted for themselves. */
export type Victim = ModelVictim | (Room & { readonly worker: Worker })
export type ModelVictim = Room & { readonly residency: LiveResidency; readonly ranked: Ranked | null }

export interface Unused {
  /** Processes that hold nothing. */
  readonly empty: readonly Victim[]
  /** Idle models, whoever is worth least first. */
  readonly models: readonly Ranked[]
  /** Processes that hold nothing without those models, and last the very worker that the load is for, if it has grown since it was started. */
  readonly rest: readonly Victim[]
}

export function unused(state: SchedulerState, device: Device, need: Need, now: Millis): Unused {
  const { engine } = need
  const workers = [...workersOn(device)].filter(isIdleWorker)
  const isOwnPrimary = (worker: Worker) => worker.slot.engine === engine && worker.slot.primary === worker
  const free = [...device.residencies].filter(
    (residency) => isLive(residency) && isIdle(residency) && !isKept(state, residency, need, now),
  )
  const isEmptied = ({ residencies }: Worker) =>
    residencies.size > 0 && [...residencies.values()].every((each) => free.includes(each))
  const empty = workers.filter((worker) => worker.residencies.size === 0 && !isOwnPrimary(worker))
  const emptied = workers.filter((worker) => isEmptied(worker) && !isOwnPrimary(worker))
  const grown = workers.filter(
    (worker) =>
      isOwnPrimary(worker) &&
      (worker.residencies.size === 0 || isEmptied(worker)) &&
      worker.runtime.sizeBytes > engineBytes(state, engine),
  )
  return {
    empty: empty.map((worker) => ({ worker, ...roomOfWorker(worker) })),
    models: rank(state, device, free, now),
    rest: [
      ...emptied.map((worker) => ({ worker, ...roomOfWorker(worker) })),
      // Another has to be started in its place.
      ...grown.map((worker) => ({
        worker,
        totalBytes: worker.runtime.sizeBytes - engineBytes(state, engine),
        weightsBytes: 0,
      })),
    ],
  }
}

/** Models that nothing runs on and that stay for users who may come back; whoever is held for the shortest time first. Not what is pinned. */
export function idleAndHeld(state: SchedulerState, device: Device, need: Need, now: Millis): Victim[] {
  return [...device.residencies]
    .filter((residency) => isLive(residency) && isIdle(residency) && isKept(state, residency, need, now))
    .filter((residency) => !isUsedByOthers(state, residency, need, now))
    .map((residency) => ({ residency, until: heldUntil(state, residency) }))
    .filter(({ until }) => until !== Number.POSITIVE_INFINITY)
    .sort((a, b) => a.until - b.until)
    .map(({ residency }) => residencyVictim(residency))
}

/** Models in use that have been there for a while; those that cannot come back last. */
export function busy(state: SchedulerState, device: Device, need: Need, now: Millis): Victim[] {
  const leastStayMs = state.settings.yieldAfterMs.interactive
  return [...device.residencies]
    .filter(
      (residency) =>
        isLive(residency) &&
        !isIdle(residency) &&
        !hasStuckJob(residency) &&
        !isUsedByOthers(state, residency, need, now) &&
        residency.loadedAt !== null &&
        now - residency.loadedAt >= leastStayMs &&
        heldUntil(state, residency) !== Number.POSITIVE_INFINITY,
    )
    .sort((a, b) => Number(cannotReturn(a)) - Number(cannotReturn(b)) || Number(a.loadedAt) - Number(b.loadedAt))
    .map(residencyVictim)
}

export function modelVictim(ranked: Ranked): ModelVictim {
  const { residency, totalBytes, weightsBytes } = ranked
  return { residency, totalBytes, weightsBytes, ranked }
}

function residencyVictim(residency: LiveResidency): ModelVictim {
  return { residency, ranked: null, ...roomOfResidency(residency) }
}

/** A job of it has gained nothing where it was before: without a stay that is long enough it never would. */
function hasStuckJob({ jobs }: LiveResidency): boolean {
  for (const { isStuck, state } of jobs) if (isStuck && state !== 'paused') return true
  return false
}

/** Something holds it, or users come back to it: batch work goes elsewhere, or waits for its turn. */
function isKept(state: SchedulerState, residency: LiveResidency, need: Need, now: Millis): boolean {
  return heldUntil(state, residency) > now || isUsedByOthers(state, residency, need, now)
}

/** Interactive work uses it, or has of late, and the need is of batch work that has not waited for its turn yet. */
function isUsedByOthers(state: SchedulerState, residency: LiveResidency, need: Need, now: Millis): boolean {
  const { interactive, interactiveAt } = residency
  if (need.class === 'interactive' || need.isOverdue) return false
  return interactive > 0 || (interactiveAt !== null && now < interactiveAt + state.settings.interactiveHoldMs)
}
