/** A walk through a file of protobuf messages, which reads a window at a time and only where somebody looks. */
import type { ByteSource } from './byte-source.ts'

const varintBytesMax = 10

/** More than the head of a field, so that small ones are read many at a time; little, because what follows is often skipped. */
const windowBytes = 32 * 1024

/** A place in the file, and the bytes around it. */
export class Cursor {
  offset = 0
  readonly #source: ByteSource
  readonly #bytesReadMax: number
  #window: Buffer = Buffer.alloc(0)
  #windowStart = 0
  #bytesRead = 0

  constructor(source: ByteSource, bytesReadMax: number) {
    this.#source = source
    this.#bytesReadMax = bytesReadMax
  }

  /** So many bytes, or all that are left, can be taken without reading. */
  holds(lengthBytes: number): boolean {
    const end = Math.min(this.offset + lengthBytes, this.#source.sizeBytes)
    return this.offset >= this.#windowStart && end <= this.#windowStart + this.#window.length
  }

  async fill(lengthBytes = 0): Promise<void> {
    const wantedBytes = Math.min(Math.max(windowBytes, lengthBytes), this.#source.sizeBytes - this.offset)
    this.#bytesRead += wantedBytes
    if (this.#bytesRead > this.#bytesReadMax)
      throw new Error(`what is to be read of it is more than ${this.#bytesReadMax} bytes`)
    this.#window = await this.#source.read(this.offset, wantedBytes)
    this.#windowStart = this.offset
    if (this.#window.length < wantedBytes) throw new Error('it became shorter while it was read')
  }

  take(lengthBytes: number): Buffer {
    const start = this.offset - this.#windowStart
    this.offset += lengthBytes
    return this.#window.subarray(start, start + lengthBytes)
  }

  skip(lengthBytes: number, end: number): void {
    if (this.offset + lengthBytes > end) throw new Error('a field of it goes beyond its end')
    this.offset += lengthBytes
  }

  /** A signed 64-bit number; exact up to 2^53, which no length or count of a real file exceeds. */
  varint(end: number): number {
    let low = 0
    let high = 0n
    for (let index = 0; index < varintBytesMax; index += 1) {
      if (this.offset >= end) throw new Error('a number of it goes beyond its end')
      const byte = this.#window[this.offset - this.#windowStart]
      if (byte === undefined) throw new Error('a number of it goes beyond what was read')
      this.offset += 1
      // Six groups of seven bits are exact in a number that needs no bits of its own.
      if (index < 6) low += (byte & 0x7f) * 2 ** (7 * index)
      else high |= BigInt(byte & 0x7f) << BigInt(7 * (index - 6))
      if (byte < 0x80) return high === 0n ? low : Number(BigInt.asIntN(64, (high << 42n) | BigInt(low)))
    }
    throw new Error('a number of it does not end')
  }
}
