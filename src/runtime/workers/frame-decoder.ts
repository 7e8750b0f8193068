/**
 * Cuts a byte stream into frames, however it was split on its way. A frame that lies within one chunk is handed over without a copy;
 * one that does not is gathered once, in a buffer of exactly its size, which is made only after its header was found acceptable.
 */
import { type Frame, type FrameHeader, headerBytes, readHeader } from './frame.ts'

export class FrameDecoder {
  readonly #onFrame: (frame: Frame) => void
  /** What has come of the header or frame at hand. */
  #gathered = Buffer.alloc(0)
  #gatheredBytes = 0
  #header: FrameHeader | null = null

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame
  }

  /** Calls back for every frame that is complete now, in order; those before a broken one count. Throws ProtocolError; nothing may be pushed after that. */
  push(chunk: Buffer): void {
    let offset = this.#gatheredBytes > 0 ? this.#gather(chunk, 0) : 0
    while (offset < chunk.length) {
      const availableBytes = chunk.length - offset
      if (availableBytes < headerBytes) {
        this.#begin(null, headerBytes)
        offset = this.#gather(chunk, offset)
        continue
      }
      const header = readHeader(chunk, offset)
      const size = sizeOf(header)
      if (availableBytes < size) {
        this.#begin(header, size)
        offset = this.#gather(chunk, offset)
        continue
      }
      this.#deliver(header, chunk, offset)
      offset += size
    }
  }

  /** To be called when the stream has ended: what is missing if it ended inside a frame, else null. */
  truncation(): string | null {
    if (this.#gatheredBytes === 0) return null
    const expected = this.#header ? `${this.#gathered.length} bytes` : `its header of ${headerBytes} bytes`
    return `The stream ended inside a frame: ${this.#gatheredBytes} bytes of ${expected} had come.`
  }

  #begin(header: FrameHeader | null, size: number): void {
    this.#header = header
    this.#gathered = Buffer.allocUnsafe(size)
    this.#gatheredBytes = 0
  }

  /** Takes from the chunk what the frame at hand still needs; returns the offset behind it. */
  #gather(chunk: Buffer, start: number): number {
    let offset = start
    for (;;) {
      const taken = chunk.copy(this.#gathered, this.#gatheredBytes, offset)
      offset += taken
      this.#gatheredBytes += taken
      if (this.#gatheredBytes < this.#gathered.length) return offset
      const whole = this.#gathered
      if (this.#header === null) {
        const header = readHeader(whole, 0)
        if (sizeOf(header) > headerBytes) {
          this.#begin(header, sizeOf(header))
          this.#gatheredBytes = whole.copy(this.#gathered)
          continue
        }
        this.#header = header
      }
      const header = this.#header
      this.#gatheredBytes = 0
      this.#header = null
      this.#deliver(header, whole, 0)
      return offset
    }
  }

  #deliver(header: FrameHeader, bytes: Buffer, offset: number): void {
    const metaStart = offset + headerBytes
    const payloadStart = metaStart + header.metaLength
    this.#onFrame({
      type: header.type,
      requestId: header.requestId,
      acknowledged: header.acknowledged,
      meta: bytes.subarray(metaStart, payloadStart),
      payload: bytes.subarray(payloadStart, payloadStart + header.payloadLength),
    })
  }
}

function sizeOf(header: FrameHeader): number {
  return headerBytes + header.metaLength + header.payloadLength
}
