/** All worker processes of this server. What to start, load and run is decided elsewhere; requests to a worker that has just ended are dropped, its end has been told. */
import type { TaskId, VersionId, WorkerId } from '../../scheduler/ids.ts'
import type { AdmittedTask, LoadRequest, StepPolicy } from './requests.ts'
import { Worker, type WorkerContext, type WorkerDescription } from './worker.ts'
import type { WorkerSpec } from './worker-command.ts'
import { defaultWorkerLimits } from './worker-limits.ts'

export type { AdmittedTask, LoadRequest, StepPolicy, VerifiedFile } from './requests.ts'
export type { WorkerDescription, WorkerState } from './worker.ts'
export type { WorkerSpec } from './worker-command.ts'

export interface WorkerPool {
  spawn(spec: WorkerSpec): void
  /** SHUTDOWN, then SIGTERM, then SIGKILL; `workerExited` follows with cause `requested`. */
  stop(workerId: WorkerId): void
  /** SIGKILL at once; `reason` goes into the detail of its end. */
  kill(workerId: WorkerId, reason: string): void
  load(workerId: WorkerId, load: LoadRequest): void
  unload(workerId: WorkerId, versionId: VersionId): void
  setPolicy(workerId: WorkerId, policy: StepPolicy): void
  /** In this order; those with a saved state go on from it. */
  admit(workerId: WorkerId, tasks: readonly AdmittedTask[]): void
  withdraw(workerId: WorkerId, taskIds: readonly TaskId[]): void
  cancel(workerId: WorkerId, taskIds: readonly TaskId[]): void
  /** `paused` is reported of each that has not come to its end by then; its state stays. */
  pause(workerId: WorkerId, taskIds: readonly TaskId[]): void
  resume(workerId: WorkerId, taskIds: readonly TaskId[]): void
  /** `taskCheckpointed` follows for those whose programs can save a state. */
  checkpoint(workerId: WorkerId, taskIds: readonly TaskId[]): void
  /** Held outputs of tasks that are done are dropped. */
  release(workerId: WorkerId, taskIds: readonly TaskId[]): void
  grantLease(workerId: WorkerId): void
  /** `leaseRevoked` follows, unless the lease is granted again first. */
  revokeLease(workerId: WorkerId): void
  credit(workerId: WorkerId, taskId: TaskId, items: number): void
  /** Those that live, in the order of their start. */
  describe(): WorkerDescription[]
  /** Stops all, and kills those that have not ended within so many milliseconds; left out = the limits' times. When it resolves, no worker is left. */
  close(withinMs?: number): Promise<void>
}

/** `limits` left out = the defaults. `context.memory` outlives the pool. */
export function createWorkerPool(
  context: Omit<WorkerContext, 'limits'> & Partial<Pick<WorkerContext, 'limits'>>,
): WorkerPool {
  const whole: WorkerContext = { limits: defaultWorkerLimits, ...context }
  const workers = new Map<WorkerId, Worker>()
  let isClosed = false
  return {
    spawn(spec) {
      if (isClosed) throw new Error('The worker pool is closed; nothing may be started any more.')
      if (workers.has(spec.workerId)) throw new Error(`Worker ${spec.workerId} exists already.`)
      workers.set(spec.workerId, new Worker(spec, whole, () => workers.delete(spec.workerId)))
    },
    stop: (workerId) => workers.get(workerId)?.stop(),
    kill: (workerId, reason) => workers.get(workerId)?.kill(reason),
    load: (workerId, load) => workers.get(workerId)?.conversation.load(load),
    unload: (workerId, versionId) => workers.get(workerId)?.conversation.unload(versionId),
    setPolicy: (workerId, policy) => workers.get(workerId)?.conversation.setPolicy(policy),
    admit: (workerId, tasks) => workers.get(workerId)?.conversation.tasks.admit(tasks),
    withdraw: (workerId, taskIds) => workers.get(workerId)?.conversation.tasks.withdraw(taskIds),
    cancel: (workerId, taskIds) => workers.get(workerId)?.conversation.tasks.cancel(taskIds),
    pause: (workerId, taskIds) => workers.get(workerId)?.conversation.tasks.pause(taskIds),
    resume: (workerId, taskIds) => workers.get(workerId)?.conversation.tasks.resume(taskIds),
    checkpoint: (workerId, taskIds) => workers.get(workerId)?.conversation.tasks.checkpoint(taskIds),
    release: (workerId, taskIds) => workers.get(workerId)?.conversation.tasks.release(taskIds),
    grantLease: (workerId) => workers.get(workerId)?.conversation.grantLease(),
    revokeLease: (workerId) => workers.get(workerId)?.conversation.revokeLease(),
    credit: (workerId, taskId, items) => workers.get(workerId)?.conversation.tasks.credit(taskId, items),
    describe: () => [...workers.values()].map((worker) => worker.describe()),
    async close(withinMs) {
      isClosed = true
      const all = [...workers.values()]
      const killAll = () => {
        for (const worker of all) worker.kill('the server ends')
      }
      for (const worker of all) worker.stop()
      if (withinMs !== undefined && withinMs <= 0) killAll()
      const late = withinMs !== undefined && withinMs > 0 ? setTimeout(killAll, withinMs) : undefined
      await Promise.all(all.map((worker) => worker.ended))
      clearTimeout(late)
    },
  }
}
