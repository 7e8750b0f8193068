/** Hands the output of each task to whoever waits for it, and keeps nothing. */
import type { ReportEntry, WorkerListener } from '../../src/runtime/workers/worker-listener.ts'
import type { TaskId, WorkerId } from '../../src/scheduler/ids.ts'

export type Output = Readonly<Record<string, unknown>>

export class TaskOutputs implements WorkerListener {
  readonly ready: Promise<void>
  readonly loaded: Promise<void>
  /** Frames that told what became of tasks. */
  frames = 0
  readonly #isReady = Promise.withResolvers<void>()
  readonly #isLoaded = Promise.withResolvers<void>()
  readonly #waiting = new Map<TaskId, PromiseWithResolvers<Output>>()

  constructor() {
    this.ready = this.#isReady.promise
    this.loaded = this.#isLoaded.promise
  }

  of(taskId: TaskId): Promise<Output> {
    const waiting = Promise.withResolvers<Output>()
    this.#waiting.set(taskId, waiting)
    return waiting.promise
  }

  stepsReported(_: WorkerId, entries: readonly ReportEntry[]): void {
    this.frames += 1
    for (const entry of entries) {
      if (entry.kind === 'done') this.#waiting.get(entry.taskId)?.resolve(entry.output)
      else if (entry.kind === 'failed') this.#waiting.get(entry.taskId)?.reject(new Error(entry.message))
      else continue
      this.#waiting.delete(entry.taskId)
    }
  }

  workerReady(): void {
    this.#isReady.resolve()
  }
  modelLoaded(): void {
    this.#isLoaded.resolve()
  }
  modelLoadFailed(...[, , { message }]: Parameters<WorkerListener['modelLoadFailed']>): void {
    this.#isLoaded.reject(new Error(message))
  }
  workerExited(...[, , detail]: Parameters<WorkerListener['workerExited']>): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(`The worker has ended: ${detail}`))
  }
  log(...[, level, message]: Parameters<WorkerListener['log']>): void {
    if (level === 'error' || level === 'warning') console.error(message)
  }
  componentLoaded(): void {}
  modelUnloaded(): void {}
  taskCheckpointed(): void {}
  leaseRevoked(): void {}
  stepsTimed(): void {}
  partial(): void {}
  workerSuspected(): void {}
  workerAnswered(): void {}
  workerMeasured(): void {}
}
