/**
 * Workers that have served long are replaced before what they leak or fragment does harm: when they have nothing to do, or grow, or at the latest after
 * many more tasks. The spare takes the place and loads the same models beside the old worker, where there is room for both; from then on new jobs go to
 * it, and the old one ends what it has and is stopped. Where there is no room, a model moves while nobody uses it. No task is lost, and as long as there
 * is room for both there is no gap.
 */

import { bytesOf, isIdle } from '../memory/footprint.ts'
import { availableBytes, weightsRoomBytes } from '../memory/ledger.ts'
import { startLoad, unload } from '../memory/loading.ts'
import { isLive, type LiveResidency, type SchedulerState, type Slot, slotsInOrder, type Worker } from '../state.ts'
import { decided, type Turn } from '../turn.ts'
import { growthOf } from './growth.ts'
import { isIdleWorker, isMemoryAwaited, spawnSpare, stopWorker } from './workers.ts'

/** A task has come to its end there. */
export function noteServed(state: SchedulerState, worker: Worker): void {
  worker.served += 1
  if (worker.served === state.settings.recycleAfterTasks) state.recycling.add(worker.slot)
}

/** It has grown beyond what its models were to take: its turn has come now, whatever it has served. */
export function recycleNow(state: SchedulerState, worker: Worker): void {
  worker.served = Math.max(worker.served, state.settings.recycleAtLatestAfterTasks)
  state.recycling.add(worker.slot)
}

/** Begins and furthers what is due; to be asked in every turn. */
export function recycle(turn: Turn): void {
  const { recycling, draining } = turn.state
  if (recycling.size === 0 || draining) return
  for (const slot of slotsInOrder(recycling)) {
    if (slot.retiring) handOver(turn, slot, slot.retiring)
    else if (slot.primary && isDue(turn.state, slot.primary)) beginIfTimely(turn, slot, slot.primary)
    else recycling.delete(slot)
  }
}

export function isDue({ settings }: SchedulerState, { served }: Worker): boolean {
  return served >= settings.recycleAfterTasks
}

function beginIfTimely(turn: Turn, slot: Slot, worker: Worker): void {
  if (worker.state !== 'ready' || worker.alone || worker.isSuspected || slot.circuit !== 'closed') return
  if (slot.device.loading || !isTimely(turn, worker)) return
  if (worker.residencies.size === 0) return stopWorker(turn, worker, 'recycled')
  const successor = slot.spares.find(({ state }) => state === 'ready') ?? null
  // Where there is no memory for another process, the old one goes first.
  if (!successor && (isMemoryAwaited(turn.state) || isSpareComing(slot) || spawnSpare(turn, slot))) return
  if (successor) slot.spares.splice(slot.spares.indexOf(successor), 1)
  slot.primary = successor
  slot.retiring = worker
  slot.restartCount += 1
  if (successor) successor.restartCount = slot.restartCount
  turn.staffingDue = true
  const { deviceId } = slot.device.spec
  decided(turn, {
    kind: 'RESTART_WORKER',
    reason: 'recycled',
    deviceId,
    workerId: worker.workerId,
    amount: worker.served,
  })
  handOver(turn, slot, worker)
}

function isSpareComing({ spares }: Slot): boolean {
  return spares.some(({ state }) => state === 'starting')
}

function isTimely({ state, now }: Turn, worker: Worker): boolean {
  const { recycleAtLatestAfterTasks, recycleGrowthBytesPerMinute } = state.settings
  if (worker.served >= recycleAtLatestAfterTasks || isIdleWorker(worker)) return true
  const growth = growthOf(worker.memory, now)
  return growth !== null && growth >= recycleGrowthBytesPerMinute
}

function handOver(turn: Turn, slot: Slot, old: Worker): void {
  if (old.state !== 'ready') return
  for (const residency of old.residencies.values()) moveModel(turn, slot, residency)
  if (old.residencies.size === 0) stopWorker(turn, old, 'recycled')
}

function moveModel(turn: Turn, { primary, device }: Slot, residency: LiveResidency): void {
  const { version } = residency
  if (!isLive(residency)) return
  const copy = primary?.residencies.get(version.spec.versionId)
  if (copy?.state === 'resident' && isLive(copy)) return retire(turn, residency)
  if (copy) return
  // What nothing can load any more stays until nobody uses it.
  if (
    version.standing === 'current' &&
    primary?.state === 'ready' &&
    !primary.alone &&
    !primary.isSuspected &&
    !device.loading
  ) {
    if (fits(turn.state, residency)) return startLoad(turn, version, primary, 'recycled', [])
  }
  if (residency.state === 'resident' && (isIdle(residency) || isForced(turn.state, residency.worker)))
    leaveGap(turn, residency)
}

/** Jobs that are at home there go on to their ends; others go to the copy. What is only paused there goes on from its checkpoint. */
function retire(turn: Turn, residency: LiveResidency): void {
  if (!residency.isRetiring) {
    residency.isRetiring = true
    turn.touched.add(residency.version)
  }
  const isLeft = residency.admitted === 0 && [...residency.jobs].every(({ state }) => state === 'paused')
  if (isLeft) unload(turn, residency, 'unloaded', 'recycled')
}

/** It comes back in the successor, as after a death. */
function leaveGap(turn: Turn, residency: LiveResidency): void {
  residency.version.rewarm = residency.version.standing === 'current'
  unload(turn, residency, 'unloaded', 'recycled')
}

function isForced({ settings }: SchedulerState, { served }: Worker): boolean {
  return served >= settings.recycleAtLatestAfterTasks
}

/** A second copy, on the same device. */
function fits(state: SchedulerState, { version, worker }: LiveResidency): boolean {
  const { device } = worker.slot
  const { weightsBytes, workingBytes } = bytesOf(version)
  const roomBytes = weightsRoomBytes(state, device, 'batch')
  return weightsBytes <= roomBytes && weightsBytes + workingBytes <= availableBytes(device)
}
