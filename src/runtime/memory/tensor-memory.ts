/**
 * Everything that large tensors need on this side, for all workers: the pool of slabs, where there can be one, and the place for transfers. Without
 * a pool all tensors come in chunks.
 */
import { slabBytesMin } from './size-classes.ts'
import { SlabDemand } from './slab-demand.ts'
import { makeSlabFolder } from './slab-folder.ts'
import { SlabPool } from './slab-pool.ts'
import { noFigures, type TensorFigures } from './tensor-figures.ts'
import { TransferStore } from './transfer-store.ts'
import { Transfers } from './transfers.ts'
import { WorkerSlabs } from './worker-slabs.ts'
import { WorkerTensors, type WorkerTensorsOptions } from './worker-tensors.ts'

export interface TensorMemorySettings {
  /** A folder in shared memory; null = no slabs are wanted. */
  readonly sharedMemory: string | null
  /** Most that the slabs may take. */
  readonly poolBytesMax: number
  /** Where transfers may be written to; made when one is. */
  readonly transferFolder: string
}

/** What the pool has, and what was counted since the start. */
export interface TensorPoolInfo extends Readonly<TensorFigures> {
  /** Why there are no slabs, as a sentence; null = there are. */
  readonly problem: string | null
  readonly limitBytes: number
  readonly sizeBytes: number
  readonly freeBytes: number
  /** In the hands of workers, not filled. */
  readonly grantedBytes: number
  /** Filled, and being read here. */
  readonly inUseBytes: number
}

const lookIntervalMs = 10_000
/** Slabs that nobody filled for so long go back to the pool, and then to the system. */
const idleMs = 60_000
/** When slabs are short, those of a worker that has filled none for so long are called back. */
const shortageIdleMs = 1000

export class TensorMemory {
  readonly #pool: SlabPool | null
  readonly #problem: string | null
  readonly #store: TransferStore
  readonly #figures = noFigures()
  readonly #demand = new SlabDemand()
  readonly #workers = new Set<WorkerSlabs>()
  readonly #timer: NodeJS.Timeout

  static async open(settings: TensorMemorySettings): Promise<TensorMemory> {
    const { sharedMemory, poolBytesMax, transferFolder } = settings
    if (sharedMemory === null || poolBytesMax === 0)
      return new TensorMemory(transferFolder, null, 'Slabs are switched off.')
    try {
      if (poolBytesMax < slabBytesMin)
        throw new Error(`${poolBytesMax} bytes hold no slab, the smallest of which has ${slabBytesMin}`)
      const { path, freeBytes } = await makeSlabFolder(sharedMemory)
      const limitBytes = Math.min(poolBytesMax, Math.floor(freeBytes / 2))
      return new TensorMemory(transferFolder, new SlabPool(path, limitBytes), null)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return new TensorMemory(transferFolder, null, `Large tensors go in chunks, because ${reason}.`)
    }
  }

  /** For servers and tests that need no shared memory. */
  static withoutPool(transferFolder: string): TensorMemory {
    return new TensorMemory(transferFolder, null, 'Slabs are switched off.')
  }

  private constructor(transferFolder: string, pool: SlabPool | null, problem: string | null) {
    this.#pool = pool
    this.#problem = problem
    this.#store = new TransferStore(transferFolder)
    this.#timer = setInterval(() => this.#look(), lookIntervalMs).unref()
  }

  forWorker({ messages, onHold }: WorkerTensorsOptions): WorkerTensors {
    const figures = this.#figures
    const pool = this.#pool
    const slabs = pool && new WorkerSlabs(pool, figures, messages, () => this.#recallUnused(shortageIdleMs, 1))
    if (slabs) this.#workers.add(slabs)
    return new WorkerTensors({
      transfers: new Transfers(this.#store, figures, onHold),
      slabs,
      messages,
      demand: this.#demand,
      figures,
      onClosed: () => slabs && this.#workers.delete(slabs),
    })
  }

  info(): TensorPoolInfo {
    return {
      ...this.#figures,
      problem: this.#problem,
      limitBytes: this.#pool?.limitBytes ?? 0,
      sizeBytes: this.#pool?.sizeBytes ?? 0,
      freeBytes: this.#pool?.bytesIn('free') ?? 0,
      grantedBytes: this.#pool?.bytesIn('granted') ?? 0,
      inUseBytes: this.#pool?.bytesIn('filled') ?? 0,
    }
  }

  /** After the last worker's end. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#pool?.close()
  }

  /** In the last moment of a process that has no time to close: its files go. */
  abandon(): void {
    this.#pool?.removeFiles()
  }

  #look(): void {
    this.#recallUnused(idleMs, this.#workers.size)
    this.#pool?.trim(idleMs)
  }

  /** From at most so many workers, those first that have filled none for longest. */
  #recallUnused(unusedMs: number, workersMax: number): void {
    const before = performance.now() - unusedMs
    const idle = [...this.#workers].filter((worker) => worker.hasUnfilled && worker.lastFilledAt <= before)
    idle.sort((a, b) => a.lastFilledAt - b.lastFilledAt)
    for (const worker of idle.slice(0, workersMax)) worker.recall()
  }
}
