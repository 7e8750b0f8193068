/** Carries out what the scheduler wants done with workers: one exhaustive switch, each command to its doer. */
import type { Admission, Command } from '../scheduler/commands.ts'
import type { DeviceId, VersionId, WorkerId } from '../scheduler/ids.ts'
import type { Manifest } from './models/manifest.ts'
import type { AdmittedTask, VerifiedFile, WorkerPool, WorkerSpec } from './workers/worker-pool.ts'

export type WorkerCommand = Exclude<Extract<Command, { readonly workerId: WorkerId }>, { readonly jobId: unknown }>

/** What the executor must be told about things that the scheduler knows only by number. */
export interface ExecutionFacts {
  /** Compute threads and cores of a worker on the device, and what memory it may take. */
  placement(deviceId: DeviceId): Pick<WorkerSpec, 'threads' | 'cores' | 'privateBytesMax'>
  /** `files`: what was read when the version was verified; its worker checks that it loads these, and that they stay as they are. */
  version(id: VersionId): {
    readonly manifest: Manifest
    readonly directory: string
    readonly files?: readonly VerifiedFile[]
  }
  /**
   * The program, and the request as its worker takes it; of one that `isRestored`, the saved state too. A promise when either has to be read from the
   * store.
   */
  task(admission: Admission): AdmittedTask | Promise<AdmittedTask>
}

export class Executor {
  readonly #pool: WorkerPool
  readonly #facts: ExecutionFacts
  /** Workers with an admission whose request is still being read: later commands wait for it, so that order is kept. */
  readonly #behind = new Map<WorkerId, Promise<void>>()

  constructor(pool: WorkerPool, facts: ExecutionFacts) {
    this.#pool = pool
    this.#facts = facts
  }

  carryOut(command: WorkerCommand): void {
    const behind = this.#behind.get(command.workerId)
    if (behind)
      this.#queueBehind(
        command.workerId,
        behind.then(() => this.#carryOutNow(command)),
      )
    else {
      const unfinished = this.#carryOutNow(command)
      if (unfinished) this.#queueBehind(command.workerId, unfinished)
    }
  }

  #carryOutNow(command: WorkerCommand): Promise<void> | undefined {
    const { workerId } = command
    switch (command.type) {
      case 'spawnWorker':
        this.#pool.spawn({
          workerId,
          deviceId: command.deviceId,
          engine: command.engine,
          ...this.#facts.placement(command.deviceId),
        })
        return
      case 'killWorker':
        this.#pool.kill(workerId, 'its device is lost')
        return
      case 'stopWorker':
        this.#pool.stop(workerId)
        return
      case 'load': {
        const { manifest, directory, files } = this.#facts.version(command.versionId)
        this.#pool.load(workerId, {
          versionId: command.versionId,
          manifest,
          directory,
          components: manifest.components.map(({ name }) => name),
          loadMsMax: command.loadMsMax,
          ...(files ? { files } : {}),
        })
        return
      }
      case 'unload':
        this.#pool.unload(workerId, command.versionId)
        return
      case 'setPolicy':
        this.#pool.setPolicy(workerId, command)
        return
      case 'admit':
        return this.#admit(workerId, command.tasks)
      case 'withdraw':
        this.#pool.withdraw(workerId, command.taskIds)
        return
      case 'cancelTasks':
        this.#pool.cancel(workerId, command.taskIds)
        return
      case 'pauseTasks':
        this.#pool.pause(workerId, command.taskIds)
        return
      case 'resumeTasks':
        this.#pool.resume(workerId, command.taskIds)
        return
      case 'releaseOutputs':
        this.#pool.release(workerId, command.taskIds)
        return
      case 'grantLease':
        this.#pool.grantLease(workerId)
        return
      case 'revokeLease':
        this.#pool.revokeLease(workerId)
        return
      default:
        return command satisfies never
    }
  }

  #admit(workerId: WorkerId, admissions: readonly Admission[]): Promise<void> | undefined {
    const tasks = admissions.map((admission) => this.#facts.task(admission))
    const ready: AdmittedTask[] = []
    for (const task of tasks) {
      if (task instanceof Promise) return this.#admitWhenRead(workerId, tasks)
      ready.push(task)
    }
    this.#pool.admit(workerId, ready)
    return undefined
  }

  async #admitWhenRead(workerId: WorkerId, tasks: readonly (AdmittedTask | Promise<AdmittedTask>)[]): Promise<void> {
    this.#pool.admit(workerId, await Promise.all(tasks.map((task) => Promise.resolve(task))))
  }

  #queueBehind(workerId: WorkerId, work: Promise<void>): void {
    const done: Promise<void> = work.finally(() => {
      if (this.#behind.get(workerId) === done) this.#behind.delete(workerId)
    })
    this.#behind.set(workerId, done)
    done.catch((error: unknown) => {
      // A worker whose commands cannot be carried out must not be left half told: its tasks run again elsewhere.
      this.#pool.kill(workerId, `a command could not be carried out: ${String(error)}`)
    })
  }
}
