/**
 * The end of a server: jobs that run may finish, and their tasks that are still to come are admitted; what workers were given ahead of need of other
 * jobs would begin only to be thrown away, and is taken back.
 */
import { decided, letterTo, type Turn } from '../turn.ts'

export function drain(turn: Turn): void {
  const { state } = turn
  if (state.draining) return
  state.draining = true
  decided(turn, { kind: 'DRAIN', reason: 'server_stops' })
  for (const version of state.versions.values()) turn.touched.add(version)
  for (const worker of state.workers.values()) {
    for (const task of worker.tasks) {
      // A model that makes room has asked for its tasks already, and a cancelled one leaves by itself.
      const { job, residency, state: life } = task
      if (life !== 'admitted' || job.cancelRequested || job.state === 'running' || residency?.ending !== null) continue
      letterTo(turn, worker).withdrawals.push(task.taskId)
    }
  }
}
