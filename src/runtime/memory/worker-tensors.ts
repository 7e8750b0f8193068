/**
 * The large tensors of one worker, however they come: claimed while a frame is read, then whoever takes the frame's outputs owns them. Those that its
 * tasks hand to each other never come here, and are only counted.
 */
import type { VersionId } from '../../scheduler/ids.ts'
import type { Chunk, SlabName } from '../workers/large-tensor-reports.ts'
import { ProtocolError } from '../workers/protocol-error.ts'
import type { HandOver } from '../workers/stats-report.ts'
import type { LargeTensors, SlabReference, TensorRegion, TransferReference } from '../workers/tensors.ts'
import { HandedTensors } from './handed-tensors.ts'
import type { SlabDemand } from './slab-demand.ts'
import type { TensorFigures } from './tensor-figures.ts'
import type { Transfers } from './transfers.ts'
import type { SlabMessages, WorkerSlabs } from './worker-slabs.ts'

export interface WorkerTensorsOptions {
  readonly messages: SlabMessages
  /** Whether the worker's stream shall be read. */
  readonly onHold: (isHeld: boolean) => void
}

export class WorkerTensors implements LargeTensors {
  readonly #transfers: Transfers
  /** Null = this server has no slabs. */
  readonly #slabs: WorkerSlabs | null
  readonly #messages: SlabMessages
  readonly #demand: SlabDemand
  readonly #figures: TensorFigures
  readonly #handed: HandedTensors
  readonly #onClosed: () => void
  /** Of the frame that is being read. */
  #claimed: TensorRegion[] = []

  constructor(parts: {
    transfers: Transfers
    slabs: WorkerSlabs | null
    messages: SlabMessages
    demand: SlabDemand
    figures: TensorFigures
    onClosed: () => void
  }) {
    this.#transfers = parts.transfers
    this.#slabs = parts.slabs
    this.#messages = parts.messages
    this.#demand = parts.demand
    this.#figures = parts.figures
    this.#handed = new HandedTensors(parts.figures)
    this.#onClosed = parts.onClosed
  }

  slab(reference: SlabReference): TensorRegion {
    const region = requireSlabs(this.#slabs).claim(reference)
    this.#figures.hits += 1
    return this.#claim(region)
  }

  transfer(reference: TransferReference): TensorRegion {
    const region = this.#transfers.claim(reference)
    // Two copies that nobody sees: into the socket and out of it.
    this.#figures.copiedBytes += 2 * reference.length
    this.#figures[this.#slabs ? 'misses' : 'fallbacks'] += 1
    return this.#claim(region)
  }

  /** A STEPS frame of outputs of these models is passed on, and the regions with it. */
  endFrame(versions: Iterable<VersionId>): void {
    this.#transfers.dropUnclaimed()
    if (this.#claimed.length === 0) return
    this.#claimed = []
    const filled = this.#slabs?.endFrame()
    if (filled && filled.size > 0) for (const version of versions) this.#demand.note(version, filled)
  }

  /** A frame is refused: nobody takes what it refers to. */
  discardFrame(): void {
    for (const region of this.#claimed.splice(0)) region.release()
    this.#slabs?.discardFrame()
  }

  /** Throws ProtocolError. */
  takeChunk(chunk: Chunk): void {
    this.#transfers.take(chunk)
  }

  request(sizeBytes: number, count: number): void {
    if (this.#slabs) this.#slabs.request(sizeBytes, count)
    else this.#messages.grant([], { sizeBytes: 0, pauseMs: noSlabsMs })
  }

  /** Throws ProtocolError. */
  dropped(slabs: readonly SlabName[]): void {
    if (slabs.length > 0) requireSlabs(this.#slabs).dropped(slabs)
    else this.#slabs?.dropped([])
  }

  /** The worker has loaded a model. */
  loaded(versionId: VersionId): void {
    this.#slabs?.expect(this.#demand.of(versionId))
  }

  /** Its tasks have handed so much to each other since its start. Throws ProtocolError. */
  handedOver(sums: HandOver): void {
    this.#handed.take(sums)
  }

  /** Its process is reaped and its stream read to the end. What was passed on stays until it is released. */
  close(): void {
    this.discardFrame()
    this.#transfers.close()
    this.#slabs?.close()
    this.#onClosed()
  }

  #claim(region: TensorRegion): TensorRegion {
    this.#claimed.push(region)
    return region
  }
}

const noSlabsMs = 3_600_000

function requireSlabs(slabs: WorkerSlabs | null): WorkerSlabs {
  if (slabs) return slabs
  throw new ProtocolError('order', 'The worker speaks of slabs, but none was granted.')
}
