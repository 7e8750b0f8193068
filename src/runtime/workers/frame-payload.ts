/**
 * The bytes behind a frame's metadata. Spans are copied out of them, so that nothing keeps a frame alive; together they have at most as many bytes as
 * the payload, or a small frame that names the same bytes again and again would take all memory.
 */
import { countField, type Metadata } from './metadata.ts'
import { ProtocolError } from './protocol-error.ts'

export class FramePayload {
  readonly #bytes: Buffer
  #leftBytes: number

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#leftBytes = bytes.length
  }

  /** A copy that begins at a multiple of eight bytes in its buffer. Throws ProtocolError for a span that leaves the payload, or was named before. */
  copy(span: Metadata): Uint8Array {
    const offset = countField(span, 'offset', 'a span')
    const length = countField(span, 'length', 'a span')
    if (offset + length > this.#bytes.length)
      throw new ProtocolError(
        'span',
        `A span of ${length} bytes at ${offset} lies outside the payload of ${this.#bytes.length} bytes.`,
      )
    if (length > this.#leftBytes)
      throw new ProtocolError('span', `The spans of a frame have more bytes than its payload of ${this.#bytes.length}.`)
    this.#leftBytes -= length
    const copy = new Uint8Array(length)
    copy.set(this.#bytes.subarray(offset, offset + length))
    return copy
  }
}
