/**
 * How often a worker may ask for slabs: each time after the first, it has taken a SLAB_GRANT since the time before (PROTOCOL.md section 4). Without a
 * limit, the answers to a worker that asks on and on and acknowledges nothing would wait for ever, and take all memory.
 */
import { ProtocolError } from './protocol-error.ts'

export class SlabRequests {
  readonly #leftMax: number
  #left = 1

  /** @param unacknowledgedMax Frames that may be on their way to the worker: so many grants may it have taken before its requests are read here. */
  constructor(unacknowledgedMax: number) {
    this.#leftMax = unacknowledgedMax + 1
  }

  /** A SLAB_GRANT leaves. */
  granted(): void {
    this.#left = Math.min(this.#left + 1, this.#leftMax)
  }

  /** Throws ProtocolError. */
  take(): void {
    if (this.#left === 0)
      throw new ProtocolError('order', 'SLAB_REQUEST came again before the one before was answered by SLAB_GRANT.')
    this.#left -= 1
  }
}
