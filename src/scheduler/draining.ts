/** The end of a server: what runs may finish; what workers were given ahead of need would begin only to be thrown away, and is taken back. */
import { decided, letterTo, type Turn } from './turn.ts'

export function drain(turn: Turn): void {
  const { state } = turn
  if (state.draining) return
  state.draining = true
  decided(turn, { kind: 'DRAIN', reason: 'server_stops' })
  for (const worker of state.workers.values()) {
    for (const task of worker.tasks) {
      // A model that makes room has asked for its tasks already, and a cancelled one leaves by itself.
      if (task.state !== 'admitted' || task.job.cancelRequested || task.residency?.state !== 'resident') continue
      letterTo(turn, worker).withdrawals.push(task.taskId)
    }
  }
}
