/**
 * Workers that do not answer, though they may only be busy. Nothing more is given to one until it answers. What it has stays there: it may still be
 * computed, and is begun elsewhere only once the worker is certainly dead.
 */
import type { WorkerId } from '../ids.ts'
import type { Turn } from '../turn.ts'

export function suspectWorker(turn: Turn, workerId: WorkerId): void {
  setSuspicion(turn, workerId, true)
}

export function clearWorker(turn: Turn, workerId: WorkerId): void {
  setSuspicion(turn, workerId, false)
}

function setSuspicion(turn: Turn, workerId: WorkerId, isSuspected: boolean): void {
  const worker = turn.state.workers.get(workerId)
  if (!worker || worker.isSuspected === isSuspected) return
  worker.isSuspected = isSuspected
  for (const { version } of worker.residencies.values()) turn.touched.add(version)
  turn.freed.add(worker.slot.device)
}
