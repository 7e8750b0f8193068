/** A tensor that came in chunks. */
import type { TensorRegion } from '../workers/tensors.ts'
import { pieceBytesMax } from './piece-sizes.ts'
import type { TransferBytes } from './transfer-store.ts'

export class TransferRegion implements TensorRegion {
  readonly sizeBytes: number
  readonly #bytes: TransferBytes
  readonly #onRead: (bytes: number) => void
  #isReleased = false

  constructor(bytes: TransferBytes, sizeBytes: number, onRead: (bytes: number) => void) {
    this.#bytes = bytes
    this.sizeBytes = sizeBytes
    this.#onRead = onRead
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafe(Math.min(this.sizeBytes, pieceBytesMax))
    for (let done = 0; done < this.sizeBytes; ) {
      if (this.#isReleased) throw new Error('A tensor was read after it had been released.')
      const piece = buffer.subarray(0, Math.min(buffer.length, this.sizeBytes - done))
      await this.#bytes.read(piece, done)
      this.#onRead(piece.length)
      done += piece.length
      yield piece
    }
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#bytes.close()
  }
}
