/** Worker processes as the API shows them: what the pool measures, with what the scheduler has given them. */
import type { WorkerPool } from '../runtime/workers/worker-pool.ts'
import type { SchedulerState } from '../scheduler/state.ts'
import { runningJobs } from '../scheduler/workers/workers.ts'
import type { WorkerView } from './app.ts'

export function workerViews(pool: WorkerPool, state: SchedulerState): WorkerView[] {
  return pool
    .describe()
    .map(({ workerId, deviceId, engine, state: life, pid, startedAt, requestsServed, privateBytes }) => ({
      id: workerId,
      deviceId,
      engine,
      state: life,
      pid,
      startedAt,
      restartCount: state.workers.get(workerId)?.restartCount ?? 0,
      requestsServed,
      memoryBytes: privateBytes,
      runningJobIds: runningJobs(state, workerId),
    }))
}
