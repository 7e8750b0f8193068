/** A listener that writes down what it was told, in order. */
import type { WorkerListener } from '../../src/runtime/workers/worker-listener.ts'

type Method = keyof WorkerListener
export type Told = { [Name in Method]: readonly [Name, ...Parameters<WorkerListener[Name]>] }[Method]

export class WorkerLog implements WorkerListener {
  readonly told: Told[] = []

  workerReady(...call: Parameters<WorkerListener['workerReady']>): void {
    this.told.push(['workerReady', ...call])
  }
  workerExited(...call: Parameters<WorkerListener['workerExited']>): void {
    this.told.push(['workerExited', ...call])
  }
  modelLoaded(...call: Parameters<WorkerListener['modelLoaded']>): void {
    this.told.push(['modelLoaded', ...call])
  }
  modelLoadFailed(...call: Parameters<WorkerListener['modelLoadFailed']>): void {
    this.told.push(['modelLoadFailed', ...call])
  }
  modelUnloaded(...call: Parameters<WorkerListener['modelUnloaded']>): void {
    this.told.push(['modelUnloaded', ...call])
  }
  componentLoaded(...call: Parameters<WorkerListener['componentLoaded']>): void {
    this.told.push(['componentLoaded', ...call])
  }
  taskCheckpointed(...call: Parameters<WorkerListener['taskCheckpointed']>): void {
    this.told.push(['taskCheckpointed', ...call])
  }
  leaseRevoked(...call: Parameters<WorkerListener['leaseRevoked']>): void {
    this.told.push(['leaseRevoked', ...call])
  }
  stepsReported(...call: Parameters<WorkerListener['stepsReported']>): void {
    this.told.push(['stepsReported', ...call])
  }
  stepsTimed(...call: Parameters<WorkerListener['stepsTimed']>): void {
    this.told.push(['stepsTimed', ...call])
  }
  partial(...call: Parameters<WorkerListener['partial']>): void {
    this.told.push(['partial', ...call])
  }
  workerSuspected(...call: Parameters<WorkerListener['workerSuspected']>): void {
    this.told.push(['workerSuspected', ...call])
  }
  workerAnswered(...call: Parameters<WorkerListener['workerAnswered']>): void {
    this.told.push(['workerAnswered', ...call])
  }
  workerMeasured(...call: Parameters<WorkerListener['workerMeasured']>): void {
    this.told.push(['workerMeasured', ...call])
  }
  log(...call: Parameters<WorkerListener['log']>): void {
    this.told.push(['log', ...call])
  }

  /** The calls of one method so far. */
  of<Name extends Method>(name: Name): (readonly [Name, ...Parameters<WorkerListener[Name]>])[] {
    return this.told.filter((call) => call[0] === name) as never
  }
}
