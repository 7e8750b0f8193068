/** A worker as the server has it, with the no-op program: its real protocol, its real shared memory, nothing of the server above that. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TensorMemory } from '../../src/runtime/memory/tensor-memory.ts'
import type { AdmittedTask } from '../../src/runtime/workers/requests.ts'
import { isLargeTensor, type LargeTensor, type Tensor } from '../../src/runtime/workers/tensors.ts'
import { defaultWorkerLimits } from '../../src/runtime/workers/worker-limits.ts'
import type { DeviceId, TaskId, WorkerId } from '../../src/scheduler/ids.ts'
import { noop, RealPool } from '../../test/support/real-pool.ts'
import { type Peer, peerCore, requireBytes } from './peer.ts'
import { type Output, TaskOutputs } from './task-outputs.ts'

export interface WorkerPeerOptions {
  readonly hasSlabs?: boolean
  /** Names for HEARTH_WITHOUT. */
  readonly without?: string
  /** A folder whose sub-folders hold programs besides the no-op. */
  readonly programs?: string
  readonly pipelineDepth?: number
  /** States that share a step. */
  readonly batchLimit?: number
  /** How often the worker is asked for what it has counted. */
  readonly statsIntervalMs?: number
}

const poolBytesMax = 256 * 1024 * 1024
const workerId = 1 as WorkerId

export class WorkerPeer implements Peer {
  readonly memory: TensorMemory
  readonly #real: RealPool
  readonly #outputs: TaskOutputs
  readonly #folder: string
  #lastTask = 0

  static async start({
    hasSlabs = true,
    without = '',
    programs = '',
    pipelineDepth = 8,
    batchLimit = 1,
    statsIntervalMs = defaultWorkerLimits.statsIntervalMs,
  }: WorkerPeerOptions = {}): Promise<WorkerPeer> {
    const folder = await mkdtemp(join(tmpdir(), 'hearth-bench-'))
    const sharedMemory = hasSlabs ? '/dev/shm' : null
    const memory = await TensorMemory.open({ sharedMemory, poolBytesMax, transferFolder: join(folder, 'transfers') })
    const outputs = new TaskOutputs()
    const environment = { HEARTH_WITHOUT: without, HEARTH_PROGRAM_PATHS: programs }
    const real = new RealPool(
      { ...defaultWorkerLimits, pipelineDepth, statsIntervalMs },
      { memory, environment, listener: outputs },
    )
    real.pool.spawn({
      workerId,
      deviceId: 1 as DeviceId,
      engine: 'none',
      threads: 1,
      cores: [peerCore],
      privateBytesMax: null,
    })
    await outputs.ready
    real.loadNoop(workerId, batchLimit)
    await outputs.loaded
    return new WorkerPeer(real, outputs, memory, folder)
  }

  private constructor(real: RealPool, outputs: TaskOutputs, memory: TensorMemory, folder: string) {
    this.#real = real
    this.#outputs = outputs
    this.memory = memory
    this.#folder = folder
  }

  get pid(): number {
    const pid = this.#real.pool.describe()[0]?.pid
    if (typeof pid !== 'number') throw new Error('The worker has no process.')
    return pid
  }

  /** Frames that have told what became of tasks. */
  get frames(): number {
    return this.#outputs.frames
  }

  async fetch(sizeBytes: number): Promise<void> {
    const { output } = await this.run({ request: { parameters: { tensorBytes: [sizeBytes] } } })
    const { artifacts } = output as unknown as { artifacts: readonly { readonly data: Tensor | LargeTensor }[] }
    for (const { data } of artifacts) requireBytes(await takeAll(data), sizeBytes)
  }

  /** A task of the no-op program but for what is said; ends when its output is here, or held in the worker. */
  async run(changes: Partial<AdmittedTask>): Promise<{ readonly taskId: TaskId; readonly output: Output }> {
    this.#lastTask += 1
    const task = noop(this.#lastTask, {}, changes)
    const coming = this.#outputs.of(task.taskId)
    this.#real.pool.admit(workerId, [task])
    return { taskId: task.taskId, output: await coming }
  }

  /** Nobody will take what the task has made. */
  release(taskId: TaskId): void {
    this.#real.pool.release(workerId, [taskId])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#real[Symbol.asyncDispose]()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Reads every byte into this process, as whoever writes a file of them does; returns how many there were. */
async function takeAll(tensor: Tensor | LargeTensor): Promise<number> {
  if (!isLargeTensor(tensor)) return tensor.data.length
  let bytes = 0
  for await (const piece of tensor.region.pieces()) bytes += piece.length
  tensor.region.release()
  return bytes
}

/** A worker for this one operation. */
export async function fetchFromWorkerOfItsOwn(sizeBytes: number): Promise<void> {
  await using peer = await WorkerPeer.start()
  await peer.fetch(sizeBytes)
}
