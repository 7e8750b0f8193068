/**
 * The slabs of one worker: granted ahead of need, filled by it, read here, and returned. A slab is given to another worker only when this one has let
 * go of it, or is dead and everything it wrote has been read.
 */

import type { SlabName } from '../workers/large-tensor-reports.ts'
import { ProtocolError } from '../workers/protocol-error.ts'
import type { GrantedSlab, SlabRefusal } from '../workers/requests.ts'
import type { SlabReference, TensorRegion } from '../workers/tensors.ts'
import { classStartsAt, slabBytesFor } from './size-classes.ts'
import type { Slab } from './slab.ts'
import type { SlabCounts } from './slab-demand.ts'
import type { SlabPool } from './slab-pool.ts'
import { SlabRegion } from './slab-region.ts'
import type { TensorFigures } from './tensor-figures.ts'

/** What can be said to a worker about slabs. */
export interface SlabMessages {
  grant(slabs: readonly GrantedSlab[], refused: SlabRefusal | null): void
  giveBack(slabs: readonly SlabName[]): void
  recall(slabs: readonly SlabName[]): void
}

interface HeldSlab {
  readonly slab: Slab
  /** Of the frame that filled it, not released yet. */
  readers: number
}

/** Of one size, in the hands of one worker. */
const slabsPerSizeMax = 64
const refusalMs = 1000
/** For what will be no different later. */
const finalRefusalMs = 3_600_000
const alignmentBytes = 64

export class WorkerSlabs {
  readonly #pool: SlabPool
  readonly #figures: TensorFigures
  readonly #messages: SlabMessages
  /** Others have some that they do not use. */
  readonly #onShortage: () => void
  readonly #held = new Map<number, HeldSlab>()
  /** Being made for it, by size. */
  readonly #coming = new Map<number, number>()
  readonly #recalled = new Set<Slab>()
  /** Filled by the frame that is being read. */
  #claimed = new Set<HeldSlab>()
  /** Released in this turn of the event loop: they go back together. */
  #returning: Slab[] = []
  #isUnable = false
  #isClosed = false
  lastFilledAt = performance.now()

  constructor(pool: SlabPool, figures: TensorFigures, messages: SlabMessages, onShortage: () => void) {
    this.#pool = pool
    this.#figures = figures
    this.#messages = messages
    this.#onShortage = onShortage
  }

  /** The worker found no room for so many tensors. */
  request(sizeBytes: number, count: number): void {
    const slabBytes = slabBytesFor(sizeBytes)
    if (slabBytes === null || slabBytes > this.#pool.limitBytes || this.#isUnable) {
      this.#figures.refusals += 1
      const refusedFrom = this.#isUnable ? 0 : classStartsAt(sizeBytes)
      this.#messages.grant([], { sizeBytes: refusedFrom, pauseMs: finalRefusalMs })
      return
    }
    void this.#provide(slabBytes, Math.max(1, count), true)
  }

  /** Sees to it that so many are there unfilled. */
  expect(wanted: SlabCounts): void {
    for (const [sizeBytes, count] of wanted) {
      const missing = count - this.#unfilled(sizeBytes)
      if (missing > 0 && !this.#isUnable) void this.#provide(sizeBytes, missing, false)
    }
  }

  /** A frame refers to it. Throws ProtocolError. */
  claim({ slabId, generation, offset, length }: SlabReference): TensorRegion {
    const held = this.#held.get(slabId)
    if (!held || held.slab.generation !== generation)
      throw new ProtocolError(
        'order',
        `A tensor came in generation ${generation} of slab ${slabId}, which this worker does not have.`,
      )
    const { slab } = held
    if (slab.state === 'filled' && !this.#claimed.has(held))
      throw new ProtocolError('order', `A tensor came in slab ${slabId}, which an earlier frame has filled.`)
    if (offset + length > slab.sizeBytes || offset % alignmentBytes !== 0)
      throw new ProtocolError(
        'span',
        `A tensor of ${length} bytes cannot be at ${offset} of a slab of ${slab.sizeBytes} bytes.`,
      )
    this.#claimed.add(held)
    slab.state = 'filled'
    held.readers += 1
    this.#figures.copiedBytes += length
    return new SlabRegion(slab, offset, length, {
      onRead: (bytes) => {
        this.#figures.copiedBytes += bytes
      },
      onRelease: () => this.#released(held),
    })
  }

  /** The frame has been read to its end; returns what it has filled, and sees to it that the next one like it finds as much. */
  endFrame(): SlabCounts {
    const filled = new Map<number, number>()
    for (const { slab } of this.#claimed) filled.set(slab.sizeBytes, (filled.get(slab.sizeBytes) ?? 0) + 1)
    if (this.#claimed.size > 0) {
      this.lastFilledAt = performance.now()
      this.#claimed = new Set()
      this.expect(filled)
    }
    return filled
  }

  /** The frame is refused; its regions have been released. */
  discardFrame(): void {
    this.#claimed = new Set()
  }

  /** The worker has let go of them. */
  dropped(slabs: readonly SlabName[]): void {
    for (const { slabId, generation } of slabs) {
      const held = this.#held.get(slabId)
      if (held?.slab.state !== 'granted' || held.slab.generation !== generation)
        throw new ProtocolError('order', `Slab ${slabId} was dropped, which this worker cannot have.`)
      // Of its own accord it drops only what it cannot map, and it will not be able to map others.
      if (!this.#recalled.has(held.slab)) this.#isUnable = true
      this.#held.delete(slabId)
      this.#pool.giveBack(held.slab)
    }
    this.#recalled.clear()
  }

  /** Asks for what it holds unfilled. */
  recall(): void {
    if (this.#recalled.size > 0 || this.#isClosed) return
    for (const { slab } of this.#held.values()) if (slab.state === 'granted') this.#recalled.add(slab)
    if (this.#recalled.size > 0) this.#messages.recall([...this.#recalled].map(nameOf))
  }

  /** Its process is reaped and its stream read to the end. What is being read goes back to the pool when that is over. */
  close(): void {
    this.#isClosed = true
    for (const { slab } of this.#held.values()) if (slab.state === 'granted') this.#pool.giveBack(slab)
    this.#held.clear()
    for (const slab of this.#returning.splice(0)) this.#pool.giveBack(slab)
  }

  get hasUnfilled(): boolean {
    return [...this.#held.values()].some(({ slab }) => slab.state === 'granted')
  }

  #unfilled(sizeBytes: number): number {
    let count = this.#coming.get(sizeBytes) ?? 0
    for (const { slab } of this.#held.values()) if (slab.sizeBytes === sizeBytes && slab.state === 'granted') count += 1
    return count
  }

  #countOf(sizeBytes: number): number {
    let count = this.#coming.get(sizeBytes) ?? 0
    for (const { slab } of this.#held.values()) if (slab.sizeBytes === sizeBytes) count += 1
    return count
  }

  /** `isAsked`: the worker waits for an answer before it asks again. */
  async #provide(sizeBytes: number, count: number, isAsked: boolean): Promise<void> {
    const allowed = Math.min(count, slabsPerSizeMax - this.#countOf(sizeBytes))
    this.#coming.set(sizeBytes, (this.#coming.get(sizeBytes) ?? 0) + Math.max(0, allowed))
    const slabs: Slab[] = []
    while (slabs.length < allowed) {
      const slab = await this.#pool.take(sizeBytes)
      if (!slab) break
      slabs.push(slab)
    }
    this.#coming.set(sizeBytes, (this.#coming.get(sizeBytes) ?? 0) - Math.max(0, allowed))
    if (this.#isClosed) {
      for (const slab of slabs) this.#pool.giveBack(slab)
      return
    }
    const isShort = slabs.length < count
    for (const slab of slabs) this.#held.set(slab.slabId, { slab, readers: 0 })
    // What is only expected is worth no one else's slabs.
    if (isAsked && slabs.length < allowed) this.#onShortage()
    if (isAsked && isShort) this.#figures.refusals += 1
    const refused = isAsked && isShort ? { sizeBytes: classStartsAt(sizeBytes), pauseMs: refusalMs } : null
    if (slabs.length > 0 || isAsked) this.#messages.grant(slabs.map(grantOf), refused)
  }

  #released(held: HeldSlab): void {
    held.readers -= 1
    if (held.readers > 0) return
    const { slab } = held
    if (this.#isClosed) {
      this.#pool.giveBack(slab)
      return
    }
    // To be filled anew by the same worker, under a new generation.
    this.#returning.push(slab)
    if (this.#returning.length === 1) setImmediate(() => this.#giveBack())
  }

  #giveBack(): void {
    if (this.#isClosed) return
    const slabs = this.#returning.splice(0)
    for (const slab of slabs) {
      slab.generation += 1
      slab.state = 'granted'
    }
    if (slabs.length > 0) this.#messages.giveBack(slabs.map(nameOf))
  }
}

function nameOf({ slabId, generation }: Slab): SlabName {
  return { slabId, generation }
}

function grantOf({ slabId, generation, path, sizeBytes }: Slab): GrantedSlab {
  return { slabId, generation, path, sizeBytes }
}
