/** A pool whose workers run `fake-worker.py` in one of its scenarios, with short limits. */
import { fileURLToPath } from 'node:url'
import { defaultWorkerLimits, type WorkerLimits } from '../../src/runtime/workers/worker-limits.ts'
import { createWorkerPool, type WorkerPool } from '../../src/runtime/workers/worker-pool.ts'
import type { DeviceId, TaskId, VersionId, WorkerId } from '../../src/scheduler/ids.ts'
import { withoutSlabs } from './real-pool.ts'
import { until } from './until.ts'
import { WorkerLog } from './worker-log.ts'

const script = fileURLToPath(new URL('fake-worker.py', import.meta.url))
const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url))

export const fakeWorker = 1 as WorkerId

export class FakePool implements AsyncDisposable {
  readonly pool: WorkerPool
  readonly listener = new WorkerLog()

  constructor(scenario: string, limits: Partial<WorkerLimits> = {}, file = python) {
    this.pool = createWorkerPool({
      command: { file, arguments: [script, ...scenario.split(' ')], environment: {} },
      memory: withoutSlabs(),
      listener: this.listener,
      limits: {
        ...defaultWorkerLimits,
        helloMsMax: 5000,
        pingIntervalMs: 100,
        stacksMsMax: 20,
        exitAfterStreamEndMsMax: 300,
        shutdownMsMax: 300,
        terminateMsMax: 300,
        ...limits,
      },
      clock: { now: () => Date.now() },
    })
    this.pool.spawn({
      workerId: fakeWorker,
      deviceId: 1 as DeviceId,
      engine: 'none',
      threads: 1,
      cores: [],
      privateBytesMax: null,
    })
  }

  get pid(): number {
    return this.pool.describe()[0]?.pid ?? 0
  }

  ready(): Promise<unknown> {
    return until('the worker says hello', () => this.listener.of('workerReady')[0])
  }

  /** Cause and detail of the worker's end. */
  async end(): Promise<{ cause: string; detail: string }> {
    const [, , cause, detail] = await until('the worker ends', () => this.listener.of('workerExited')[0])
    return { cause, detail }
  }

  admit(...taskIds: readonly number[]): void {
    const task = {
      versionId: 1 as VersionId,
      program: 'noop',
      components: [],
      request: {},
      class: 'interactive',
      order: 1,
      attempt: 1,
      deadlineMs: null,
      credit: 0,
      stage: 'inference',
      isHeld: false,
      inputs: {},
      saved: null,
    } as const
    this.pool.admit(
      fakeWorker,
      taskIds.map((taskId) => ({ ...task, taskId: taskId as TaskId })),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { workerId } of this.pool.describe()) this.pool.kill(workerId, 'the test is over')
    await this.pool.close()
  }
}
