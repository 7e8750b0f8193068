/** A suspect that has a worker for itself, or is to have it. */
import type { Worker } from '../state.ts'
import type { Turn } from '../turn.ts'

/** The worker is open to everybody again. */
export function endAlone(turn: Turn, worker: Worker): void {
  if (!worker.alone) return
  worker.alone.version.aloneAt = null
  turn.touched.add(worker.alone.version)
  worker.alone = null
  for (const { version } of worker.residencies.values()) turn.touched.add(version)
  if (turn.state.wanted.size > 0) turn.freed.add(worker.slot.device)
}
