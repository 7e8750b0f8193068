/** A place in the beginning of a GGUF file. Every length is checked against what is there, and against a bound. */
const textBytesMax = 16 * 1024 * 1024

/** What there is ends before what is to be read. */
export class EndOfBytes extends Error {}

export class GgufReader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get offset(): number {
    return this.#offset
  }

  take(length: number): Buffer {
    const end = this.#offset + length
    if (end > this.#bytes.length) throw new EndOfBytes()
    const part = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return part
  }

  unsigned32(): number {
    const value = this.#offset + 4 <= this.#bytes.length ? this.#bytes.readUInt32LE(this.#offset) : this.take(4).length
    this.#offset += 4
    return value
  }

  /** A 64-bit length or count, at most `max`. */
  length(max: number, what: string): number {
    const value = this.unsigned32() + this.unsigned32() * 2 ** 32
    if (value > max) throw new Error(`it announces ${value} ${what}; at most ${max} are read`)
    return value
  }

  text(): string {
    return this.take(this.length(textBytesMax, 'bytes of text')).toString('utf8')
  }

  skipText(): void {
    const end = this.length(textBytesMax, 'bytes of text') + this.#offset
    if (end > this.#bytes.length) throw new EndOfBytes()
    this.#offset = end
  }
}
