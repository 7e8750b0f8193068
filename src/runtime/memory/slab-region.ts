/** A range of a slab that holds a tensor: read with pread, piece by piece. */
import type { TensorRegion } from '../workers/tensors.ts'
import { pieceBytesMax, smallBytesMax } from './piece-sizes.ts'
import type { Slab } from './slab.ts'

export interface RegionEvents {
  readonly onRead: (bytes: number) => void
  readonly onRelease: () => void
}

export class SlabRegion implements TensorRegion {
  readonly sizeBytes: number
  readonly #slab: Slab
  readonly #offset: number
  readonly #events: RegionEvents
  #isReleased = false

  constructor(slab: Slab, offset: number, sizeBytes: number, events: RegionEvents) {
    this.#slab = slab
    this.#offset = offset
    this.sizeBytes = sizeBytes
    this.#events = events
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafe(Math.min(this.sizeBytes, pieceBytesMax))
    for (let done = 0; done < this.sizeBytes; ) {
      const piece = buffer.subarray(0, Math.min(buffer.length, this.sizeBytes - done))
      if (this.sizeBytes <= smallBytesMax) this.#slab.readNow(piece, this.#offset + done)
      else await this.#slab.read(piece, this.#offset + done)
      // What comes after the release may be somebody else's tensor.
      if (this.#isReleased) throw new Error('A tensor was read after it had been released.')
      this.#events.onRead(piece.length)
      done += piece.length
      yield piece
    }
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#events.onRelease()
  }
}
