/** The workers of a workload's world and what they load: one load at a time on each device, as the scheduler begins them. */
import type { Command } from '../../scheduler/commands.ts'
import type { SchedulerEvent } from '../../scheduler/events.ts'
import type { DeviceId, Millis, VersionId, WorkerId } from '../../scheduler/ids.ts'
import type { WorkerCommand } from '../modelled-workers.ts'
import { type TraceSurroundings, TraceWorker } from './trace-worker.ts'

export interface DeviceSurroundings extends TraceSurroundings {
  /** How long the next load of it takes, and what of that passes in this world. */
  readonly drawLoad: (versionId: VersionId) => { readonly loadMs: Millis; readonly passesMs: Millis }
  readonly sizeOf: (versionId: VersionId) => number
  readonly loadBegan: (versionId: VersionId) => void
}

export class TraceDevices {
  readonly #world: DeviceSurroundings
  readonly #workers = new Map<WorkerId, TraceWorker>()

  constructor(world: DeviceSurroundings) {
    this.#world = world
  }

  carryOut(command: WorkerCommand): void {
    if (command.type === 'spawnWorker') return this.#spawn(command)
    const worker = this.#workers.get(command.workerId)
    if (!worker) return
    switch (command.type) {
      case 'killWorker':
      case 'stopWorker':
        return this.#stop(worker)
      case 'load':
        return this.#load(worker, command.versionId)
      case 'unload':
        return this.#feed({ type: 'modelUnloaded', workerId: worker.workerId, versionId: command.versionId })
      case 'setPolicy':
        return worker.setPolicy(command.versionId, command)
      case 'admit':
        return worker.admit(command.tasks)
      case 'withdraw':
        return worker.withdraw(command.taskIds)
      case 'cancelTasks':
        return worker.cancel(command.taskIds)
      case 'pauseTasks':
        return worker.pause(command.taskIds)
      case 'resumeTasks':
        return worker.resume(command.taskIds)
      case 'releaseOutputs':
        return
      case 'grantLease':
        return worker.grantLease()
      case 'revokeLease':
        return worker.revokeLease()
      default:
        return command satisfies never
    }
  }

  #spawn({ workerId, deviceId }: Extract<Command, { type: 'spawnWorker' }>): void {
    this.#workers.set(workerId, new TraceWorker(workerId, indexOf(deviceId), this.#world))
    this.#feed({ type: 'workerReady', workerId, privateBytes: 0 })
  }

  #stop(worker: TraceWorker): void {
    const { workerId } = worker
    worker.leave()
    this.#workers.delete(workerId)
    this.#feed({ type: 'workerExited', workerId, cause: 'requested' })
  }

  #load(worker: TraceWorker, versionId: VersionId): void {
    const { workerId } = worker
    const { loadMs, passesMs } = this.#world.drawLoad(versionId)
    this.#world.loadBegan(versionId)
    const weightsBytes = this.#world.sizeOf(versionId)
    const loaded: SchedulerEvent = { type: 'modelLoaded', workerId, versionId, loadMs, weightsBytes, privateBytes: 0 }
    const end = () => {
      if (this.#workers.has(workerId)) this.#feed(loaded)
    }
    if (passesMs === 0) end()
    else this.#world.timeline.after(passesMs, end)
  }

  #feed(event: SchedulerEvent): void {
    this.#world.feed(event)
  }
}

export function indexOf(deviceId: DeviceId): number {
  return deviceId - 1
}
