/**
 * Making room on a device, only when a load needs it. First go processes that hold nothing, then idle models, least recently used first. A model
 * with work is asked to make room only when another has waited too long for memory, so that two that do not fit together take turns.
 */
import { availableBytes, weightsRoomBytes } from '../memory/ledger.ts'
import { isIdle, unload } from '../memory/loading.ts'
import { type Device, isLive, type LiveResidency, type SchedulerState, type Worker } from '../state.ts'
import type { Turn } from '../turn.ts'
import { engineBytes, isIdleWorker, stopWorker } from '../workers/workers.ts'

interface Room {
  readonly totalBytes: number
  /** Weights have a limit of their own. */
  readonly weightsBytes: number
}

/** What a load takes. The worker of its engine stays, though it may hold nothing yet. */
export interface Need extends Room {
  readonly engine: string
}

/** A worker that stops gives back its own memory; what its models hold is counted for themselves. */
type Victim =
  | { readonly worker: Worker; readonly room: Room }
  | { readonly residency: LiveResidency; readonly room: Room }

/** Bytes that must become free before `need` fits, whichever of the two limits wants more; 0 = it fits. */
export function missingBytes(state: SchedulerState, device: Device, need: Need): number {
  return Math.max(0, need.totalBytes - availableBytes(device), need.weightsBytes - weightsRoomBytes(state, device))
}

/** It would fit if everything went that is not in use. */
export function canMakeRoom(state: SchedulerState, device: Device, need: Need): boolean {
  return chooseVictims(state, device, need, unused(state, device, need)) !== null
}

/** Starts to free what `need` misses; the load comes when it is free. Changes nothing and answers false if that is not enough. */
export function makeRoom(turn: Turn, device: Device, need: Need): boolean {
  const victims = chooseVictims(turn.state, device, need, unused(turn.state, device, need))
  return dismiss(turn, victims, 'least_recently_used')
}

/**
 * As `makeRoom`, but models in use finish what they run and go as well, except those that have just come or have a job that was moved before and has
 * gained nothing by it; last of all those that cannot come back, because with them the jobs end that wait for them.
 */
export function askToYield(turn: Turn, device: Device, need: Need): boolean {
  const leastStayMs = turn.state.settings.yieldAfterMs.interactive
  const busy = [...device.residencies]
    .filter(
      (residency) =>
        isLive(residency) &&
        !isIdle(residency) &&
        !hasStuckJob(residency) &&
        residency.loadedAt !== null &&
        turn.now - residency.loadedAt >= leastStayMs,
    )
    .sort((a, b) => Number(cannotReturn(a)) - Number(cannotReturn(b)) || Number(a.loadedAt) - Number(b.loadedAt))
  const victims = chooseVictims(turn.state, device, need, [
    ...unused(turn.state, device, need),
    ...busy.map(residencyVictim),
  ])
  return dismiss(turn, victims, 'others_waited_too_long')
}

/** A job of it has gained nothing where it was before: without a stay that is long enough it never would. */
function hasStuckJob({ jobs }: LiveResidency): boolean {
  for (const { isStuck, state } of jobs) if (isStuck && state !== 'paused') return true
  return false
}

function dismiss(
  turn: Turn,
  victims: readonly Victim[] | null,
  reason: 'least_recently_used' | 'others_waited_too_long',
): boolean {
  for (const victim of victims ?? []) {
    if ('worker' in victim) stopWorker(turn, victim.worker, 'idle_worker')
    else unload(turn, victim.residency, 'evicted', reason)
  }
  return victims !== null
}

/** The first of `candidates` that suffice, with what is leaving anyway; null if all of them are not enough. */
function chooseVictims(
  state: SchedulerState,
  device: Device,
  need: Need,
  candidates: readonly Victim[],
): Victim[] | null {
  const leaving = leavingRoom(device)
  let room = plus({ totalBytes: availableBytes(device), weightsBytes: weightsRoomBytes(state, device) }, leaving)
  const victims: Victim[] = []
  for (const victim of candidates) {
    if (covers(room, need)) break
    room = plus(room, victim.room)
    victims.push(victim)
  }
  return covers(room, need) ? victims : null
}

/**
 * Cheapest to bring back first: processes that hold nothing, idle models, processes that would then hold nothing, and last the very worker that the
 * load is for, if it has grown since it was started.
 */
function unused(state: SchedulerState, device: Device, { engine }: Need): Victim[] {
  const workers = [...workersOn(device)].filter(isIdleWorker)
  const isOwn = ({ slot }: Worker) => slot.engine === engine
  const isOwnPrimary = (worker: Worker) => isOwn(worker) && worker.slot.primary === worker
  const empty = workers.filter((worker) => worker.residencies.size === 0 && !isOwnPrimary(worker))
  const emptied = workers.filter((worker) => worker.residencies.size > 0 && !isOwnPrimary(worker))
  const grown = workers.filter(
    (worker) => isOwnPrimary(worker) && worker.runtime.sizeBytes > engineBytes(state, engine),
  )
  const idle = [...device.residencies]
    .filter((residency) => isLive(residency) && isIdle(residency))
    .sort((a, b) => Number(cannotReturn(b)) - Number(cannotReturn(a)) || lastUse(a) - lastUse(b))
  return [
    ...empty.map((worker) => ({ worker, room: roomOfWorker(worker) })),
    ...idle.map(residencyVictim),
    ...emptied.map((worker) => ({ worker, room: roomOfWorker(worker) })),
    // Another has to be started in its place.
    ...grown.map((worker) => ({
      worker,
      room: { totalBytes: worker.runtime.sizeBytes - engineBytes(state, engine), weightsBytes: 0 },
    })),
  ]
}

function residencyVictim(residency: LiveResidency): Victim {
  return { residency, room: roomOfResidency(residency) }
}

function leavingRoom(device: Device): Room {
  let room: Room = { totalBytes: 0, weightsBytes: 0 }
  for (const residency of device.residencies)
    if (residency.state === 'evicting') room = plus(room, roomOfResidency(residency))
  for (const worker of workersOn(device)) if (worker.state === 'stopping') room = plus(room, roomOfWorker(worker))
  return room
}

function* workersOn(device: Device): Generator<Worker> {
  for (const { spares, primary } of device.slots.values()) {
    yield* spares
    if (primary) yield primary
  }
}

/** With what it keeps for paused jobs, which goes with it. */
function roomOfResidency({ weights, working, jobs }: LiveResidency): Room {
  let totalBytes = weights.sizeBytes + working.sizeBytes
  for (const { tasks } of jobs)
    for (const { heldOutput, pausedState } of tasks)
      totalBytes += (heldOutput?.sizeBytes ?? 0) + (pausedState?.sizeBytes ?? 0)
  return { totalBytes, weightsBytes: weights.sizeBytes }
}

function roomOfWorker({ runtime }: Worker): Room {
  return { totalBytes: runtime.sizeBytes, weightsBytes: 0 }
}

function plus(a: Room, b: Room): Room {
  return { totalBytes: a.totalBytes + b.totalBytes, weightsBytes: a.weightsBytes + b.weightsBytes }
}

function covers(room: Room, need: Need): boolean {
  return room.totalBytes >= need.totalBytes && room.weightsBytes >= need.weightsBytes
}

/** Its files have been replaced: nothing new comes for it, and it can never be loaded again. */
function cannotReturn({ version }: LiveResidency): boolean {
  return version.standing === 'replaced'
}

function lastUse({ lastUsedAt, loadedAt }: LiveResidency): number {
  return lastUsedAt ?? loadedAt ?? 0
}
