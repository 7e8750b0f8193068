/** All worker processes of a simulation: how they start, load and end, and what the server hears of it. */
import type { Command } from '../scheduler/commands.ts'
import type { SchedulerEvent, VersionSpec, WorkerExitCause } from '../scheduler/events.ts'
import type { Millis, TaskId, VersionId, WorkerId } from '../scheduler/ids.ts'
import type { ModelFiles, SeenFile } from './model-files.ts'
import type { TaskNature } from './modelled-task.ts'
import type { Random } from './random.ts'
import type { Faults, Scenario } from './scenario.ts'
import type { Timeline } from './timeline.ts'
import { Wires } from './wires.ts'
import { WorkerModel } from './worker-model.ts'
import { WorkerTroubles } from './worker-troubles.ts'

export type WorkerCommand = Exclude<Extract<Command, { readonly workerId: WorkerId }>, { readonly jobId: unknown }>

export interface Surroundings {
  readonly random: Random
  readonly timeline: Timeline
  readonly scenario: Scenario
  readonly areFaultsOver: boolean
  readonly files: ModelFiles
  readonly natureOf: (taskId: TaskId) => TaskNature
  /** Steps in the newest checkpoint that the server has; 0 = it has none. */
  readonly savedSteps: (taskId: TaskId) => number
  saved(taskId: TaskId, step: number): void
  feed(event: SchedulerEvent): void
}

const mib = 1024 * 1024

export class ModelledWorkers {
  deaths = 0
  readonly #world: Surroundings
  readonly #workers = new Map<WorkerId, WorkerModel>()
  readonly #wires: Wires
  readonly troubles: WorkerTroubles

  constructor(world: Surroundings) {
    this.#world = world
    this.#wires = new Wires(world.random, world.timeline)
    this.troubles = new WorkerTroubles(world, this.#wires, (worker) => this.#isThere(worker))
  }

  /** Those that have not died. */
  alive(): WorkerModel[] {
    return [...this.#workers.values()].filter(({ isDead }) => !isDead)
  }

  /** With their server: nobody hears of it. */
  vanish(): void {
    for (const worker of this.alive()) worker.die('signal')
    this.#workers.clear()
    this.#wires.clear()
  }

  carryOut(command: WorkerCommand): void {
    switch (command.type) {
      case 'spawnWorker':
        return this.#spawn(command.workerId)
      case 'killWorker':
        return this.#workers.get(command.workerId)?.die('signal')
      case 'stopWorker':
        return this.#send(command.workerId, (worker) => worker.die('requested'))
      case 'load':
        return this.#sendLoad(command.workerId, command.versionId)
      case 'unload':
        return this.#send(command.workerId, (worker) => this.#unload(worker, command.versionId))
      case 'setPolicy':
        return this.#send(command.workerId, (worker) => worker.setPolicy(command.versionId, command))
      case 'admit':
        return this.#send(command.workerId, (worker) => worker.admit(command.tasks))
      case 'withdraw':
        return this.#send(command.workerId, (worker) => worker.withdraw(command.taskIds))
      case 'cancelTasks':
        return this.#send(command.workerId, (worker) => worker.cancel(command.taskIds))
      case 'pauseTasks':
        return this.#send(command.workerId, (worker) => worker.pause(command.taskIds))
      case 'resumeTasks':
        return this.#send(command.workerId, (worker) => worker.resume(command.taskIds))
      case 'releaseOutputs':
        return this.#send(command.workerId, (worker) => worker.release(command.taskIds))
      case 'grantLease':
        return this.#send(command.workerId, (worker) => worker.grantLease())
      case 'revokeLease':
        return this.#send(command.workerId, (worker) => worker.revokeLease())
      default:
        return command satisfies never
    }
  }

  #spawn(workerId: WorkerId): void {
    const { random, timeline, scenario, natureOf, savedSteps } = this.#world
    const worker = new WorkerModel(workerId, {
      timeline,
      random,
      natureOf,
      savedSteps,
      stepMsOf: (versionId) => scenario.stepMs.get(versionId) ?? 1,
      reported: (from, reports) => this.#receive(from, { type: 'stepsReported', workerId, reports }),
      checkpointed: (from, taskId, step) => this.#receiveCheckpoint(from, taskId, step),
      stepped: (from, versionId, sample, isTooLarge) =>
        this.#receive(from, {
          type: 'stepsTimed',
          workerId,
          versionId,
          samples: isTooLarge ? [] : [sample],
          tooLarge: isTooLarge ? [sample] : [],
        }),
      leaseRevoked: (from) => this.#receive(from, { type: 'leaseRevoked', workerId }),
      exited: (from, cause) => this.#exited(from, cause),
    })
    this.#workers.set(workerId, worker)
    if (this.#strikes('spawnFails')) return timeline.after(random.between(0, 20), () => worker.die('spawn_failed'))
    const privateBytes = random.whole(10, 120) * mib
    const hello: SchedulerEvent = { type: 'workerReady', workerId, privateBytes }
    timeline.after(random.between(20, 300), () => this.#receive(worker, hello))
  }

  /** It names the files as they are known when it leaves. */
  #sendLoad(workerId: WorkerId, versionId: VersionId): void {
    const verified = this.#world.files.verified(versionId)
    this.#send(workerId, (worker) => this.#load(worker, versionId, verified))
  }

  #load(worker: WorkerModel, versionId: VersionId, verified: SeenFile): void {
    const { random, timeline, scenario, files } = this.#world
    const { workerId } = worker
    const usualMs = scenario.loadMs.get(versionId) ?? 100
    const loadMs = usualMs * random.between(0.7, 1.3) * (this.#strikes('loadIsSlow') ? 8 : 1)
    if (this.#strikes('loadKills')) return timeline.after(random.between(0, loadMs), () => worker.die('exit_code'))
    const fail = (code: 'engine_error' | 'out_of_memory' | 'stale_model', retryable: boolean) =>
      this.#receive(worker, { type: 'modelLoadFailed', workerId, versionId, code, retryable })
    if (!files.isAt(versionId, verified)) return fail('stale_model', true)
    worker.models.begin(versionId, verified)
    const failsAt = this.#strikes('loadFails') ? random.between(0, loadMs) : Number.POSITIVE_INFINITY
    this.#loadComponents(worker, versionId, verified, Math.min(loadMs, failsAt))
    if (failsAt < loadMs) {
      const code = random.pick(['engine_error', 'out_of_memory'] as const)
      const isRetryable = random.chance(0.8)
      return timeline.after(failsAt, () => fail(code, isRetryable))
    }
    const { weightsBytes, workingBytes } = this.#specOf(versionId)
    const measured = {
      weightsBytes: Math.round(weightsBytes * random.between(0.9, 1.05)),
      privateBytes: Math.round(workingBytes * random.between(0.3, 1.2)),
    }
    timeline.after(loadMs, () => {
      if (worker.isDead) return
      if (!files.isAt(versionId, verified)) return fail('stale_model', true)
      worker.models.complete(versionId)
      this.#receive(worker, { type: 'modelLoaded', workerId, versionId, loadMs, ...measured })
    })
  }

  /** One after the other, each usable at once; the last of them with the model. */
  #loadComponents(worker: WorkerModel, versionId: VersionId, verified: SeenFile, withinMs: Millis): void {
    const { timeline, files } = this.#world
    const { workerId } = worker
    const count = this.#specOf(versionId).componentBytes.length
    for (let component = 0; component < count; component += 1) {
      timeline.after(((component + 1) / count) * withinMs * 0.99, () => {
        if (worker.isDead || !files.isAt(versionId, verified)) return
        worker.models.addComponent(versionId, component)
        this.#receive(worker, { type: 'componentLoaded', workerId, versionId, component })
      })
    }
  }

  #specOf(versionId: VersionId): VersionSpec {
    const spec = this.#world.scenario.versions.find((version) => version.versionId === versionId)
    if (!spec) throw new Error(`Version ${versionId} is not part of the scenario.`)
    return spec
  }

  #unload(worker: WorkerModel, versionId: VersionId): void {
    const { random, timeline } = this.#world
    const { workerId } = worker
    worker.removeModel(versionId)
    timeline.after(random.between(1, 30), () => this.#receive(worker, { type: 'modelUnloaded', workerId, versionId }))
  }

  /** What it said before is read first; then it is gone. */
  #exited({ workerId }: WorkerModel, cause: WorkerExitCause): void {
    this.deaths += 1
    // Its end is seen by who started it, whatever gets through.
    this.#wires.abandon(workerId)
    this.#wires.deliver('server', workerId, () => {
      if (this.#workers.delete(workerId)) this.#world.feed({ type: 'workerExited', workerId, cause })
    })
  }

  #send(workerId: WorkerId, act: (worker: WorkerModel) => void): void {
    const worker = this.#workers.get(workerId)
    if (worker) this.#wires.deliver('worker', workerId, () => worker.isDead || worker.isHung || act(worker))
  }

  #receive(worker: WorkerModel, event: SchedulerEvent): void {
    if (worker.isDead || worker.isHung) return
    const arrive = () => this.#isThere(worker) && this.#world.feed(event)
    this.#wires.deliver('server', worker.workerId, arrive, event)
  }

  /** The server has it from the moment at which it is told. */
  #receiveCheckpoint(worker: WorkerModel, taskId: TaskId, step: number): void {
    const { workerId } = worker
    this.#wires.deliver('server', workerId, () => {
      if (!this.#isThere(worker)) return
      this.#world.saved(taskId, step)
      this.#world.feed({ type: 'taskCheckpointed', workerId, taskId, step })
    })
  }

  #isThere(worker: WorkerModel): boolean {
    return this.#workers.get(worker.workerId) === worker
  }

  #strikes(fault: keyof Pick<Faults, 'spawnFails' | 'loadFails' | 'loadKills' | 'loadIsSlow'>): boolean {
    const { random, scenario, areFaultsOver } = this.#world
    return !areFaultsOver && random.chance(scenario.faults[fault])
  }
}
