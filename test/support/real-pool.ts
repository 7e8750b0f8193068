/** A pool of real Python workers with the no-op model, as integration tests use it. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TensorMemory } from '../../src/runtime/memory/tensor-memory.ts'
import { pythonWorker } from '../../src/runtime/workers/worker-command.ts'
import { defaultWorkerLimits, type WorkerLimits } from '../../src/runtime/workers/worker-limits.ts'
import type { ReportEntry, WorkerListener } from '../../src/runtime/workers/worker-listener.ts'
import { type AdmittedTask, createWorkerPool, type WorkerPool } from '../../src/runtime/workers/worker-pool.ts'
import type { DeviceId, TaskId, VersionId, WorkerId } from '../../src/scheduler/ids.ts'
import { until } from './until.ts'
import { WorkerLog } from './worker-log.ts'

const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url))
const packageFolder = fileURLToPath(new URL('../../python_runtime', import.meta.url))

export const noopVersion = 1 as VersionId
const noopManifest = {
  name: 'noop',
  task: 'program',
  license: null,
  engine: 'none',
  components: [],
  graph: [],
  defaults: {},
  options: {},
  limits: {},
}

export interface RealPoolOptions {
  /** Is closed with the pool; without it there are no slabs. */
  readonly memory?: TensorMemory
  /** Of the workers, besides what they always get. */
  readonly environment?: Readonly<Record<string, string>>
  readonly listener?: WorkerListener
}

export class RealPool implements AsyncDisposable {
  readonly memory: TensorMemory
  readonly pool: WorkerPool
  /** What the pool tells, unless somebody else listens. */
  readonly listener = new WorkerLog()

  constructor(limits: Partial<WorkerLimits> = {}, options: RealPoolOptions = {}) {
    const { memory = withoutSlabs(), environment = {}, listener = this.listener } = options
    this.memory = memory
    const command = pythonWorker(python, packageFolder)
    this.pool = createWorkerPool({
      command: { ...command, environment: { ...command.environment, ...environment } },
      memory,
      listener,
      limits: { ...defaultWorkerLimits, ...limits },
      clock: { now: () => Date.now() },
    })
  }

  /** A worker that has said hello. */
  async start(workerId: number, engine = 'none'): Promise<WorkerId> {
    const id = workerId as WorkerId
    this.pool.spawn({ workerId: id, deviceId: 1 as DeviceId, engine, threads: 1, cores: [], privateBytesMax: null })
    await until(`worker ${workerId} says hello`, () =>
      this.listener.of('workerReady').some(([, ready]) => ready === id),
    )
    return id
  }

  /** A worker with the no-op model, which takes up to `batchLimit` tasks into a step. */
  async startNoop(workerId: number, batchLimit = 64): Promise<WorkerId> {
    const id = await this.start(workerId)
    this.loadNoop(id, batchLimit)
    await until('the model is loaded', () => this.listener.of('modelLoaded').some(([, loaded]) => loaded === id))
    return id
  }

  loadNoop(id: WorkerId, batchLimit: number): void {
    this.pool.load(id, { versionId: noopVersion, manifest: noopManifest, directory: '/', components: [] })
    this.pool.setPolicy(id, {
      versionId: noopVersion,
      batchLimit,
      holdMs: 0,
      interactiveFirst: true,
      interruptAfterMs: 5,
      checkpointSteps: 0,
      inferenceShare: 0.3,
    })
  }

  /** Everything reported of a task so far. */
  entriesOf(taskId: number): ReportEntry[] {
    return this.listener
      .of('stepsReported')
      .flatMap(([, , entries]) => entries.filter((entry) => entry.taskId === taskId))
  }

  /** Once a task has been reported as `kind`. */
  reported<Kind extends ReportEntry['kind']>(
    taskId: number,
    kind: Kind,
  ): Promise<Extract<ReportEntry, { kind: Kind }>> {
    const isIt = (entry: ReportEntry): entry is Extract<ReportEntry, { kind: Kind }> => entry.kind === kind
    return until(`task ${taskId} is ${kind}`, () => this.entriesOf(taskId).find(isIt))
  }

  async end(workerId: WorkerId): Promise<{ cause: string; detail: string }> {
    const [, , cause, detail] = await until('the worker ends', () =>
      this.listener.of('workerExited').find(([, ended]) => ended === workerId),
    )
    return { cause, detail }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.close()
    await this.memory.close()
  }
}

/** Transfers too large for memory go to the system's folder for temporary files. */
export function withoutSlabs(): TensorMemory {
  return TensorMemory.withoutPool(join(tmpdir(), 'hearth-test-transfers'))
}

/** A task of the no-op program. */
export function noop(taskId: number, parameters: object = {}, changes: Partial<AdmittedTask> = {}): AdmittedTask {
  return {
    taskId: taskId as TaskId,
    versionId: noopVersion,
    program: 'noop',
    components: [],
    request: { parameters },
    class: 'interactive',
    order: taskId,
    attempt: 1,
    deadlineMs: null,
    credit: 16_384,
    stage: 'inference',
    isHeld: false,
    inputs: {},
    saved: null,
    ...changes,
  }
}
