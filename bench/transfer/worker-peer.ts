/** A worker as the server has it, with the no-op program: its real protocol, its real shared memory, nothing of the server above that. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TensorMemory } from '../../src/runtime/memory/tensor-memory.ts'
import { isLargeTensor, type LargeTensor, type Tensor } from '../../src/runtime/workers/tensors.ts'
import { defaultWorkerLimits } from '../../src/runtime/workers/worker-limits.ts'
import type { DeviceId, WorkerId } from '../../src/scheduler/ids.ts'
import { noop, RealPool } from '../../test/support/real-pool.ts'
import { type Peer, peerCore, requireBytes } from './peer.ts'
import { TaskOutputs } from './task-outputs.ts'

export interface WorkerPeerOptions {
  readonly hasSlabs?: boolean
  /** Names for HEARTH_WITHOUT. */
  readonly without?: string
  readonly pipelineDepth?: number
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
    pipelineDepth = 8,
  }: WorkerPeerOptions = {}): Promise<WorkerPeer> {
    const folder = await mkdtemp(join(tmpdir(), 'hearth-bench-'))
    const sharedMemory = hasSlabs ? '/dev/shm' : null
    const memory = await TensorMemory.open({ sharedMemory, poolBytesMax, transferFolder: join(folder, 'transfers') })
    const outputs = new TaskOutputs()
    const environment = { HEARTH_WITHOUT: without }
    const real = new RealPool({ ...defaultWorkerLimits, pipelineDepth }, { memory, environment, listener: outputs })
    real.pool.spawn({ workerId, deviceId: 1 as DeviceId, engine: 'none', threads: 1, cores: [peerCore] })
    await outputs.ready
    real.loadNoop(workerId, 1)
    await outputs.loaded
    return new WorkerPeer(real, outputs, memory, folder)
  }

  private constructor(real: RealPool, outputs: TaskOutputs, memory: TensorMemory, folder: string) {
    this.#real = real
    this.#outputs = outputs
    this.memory = memory
    this.#folder = folder
  }

  async fetch(sizeBytes: number): Promise<void> {
    this.#lastTask += 1
    const task = noop(this.#lastTask, { tensorBytes: [sizeBytes] })
    const coming = this.#outputs.of(task.taskId)
    this.#real.pool.admit(workerId, [task])
    const { artifacts } = (await coming) as unknown as { artifacts: readonly { readonly data: Tensor | LargeTensor }[] }
    for (const { data } of artifacts) requireBytes(await takeAll(data), sizeBytes)
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
