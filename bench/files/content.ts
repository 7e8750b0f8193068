/** Large files that are never held whole: a block of a mebibyte again and again, its number in front, so that no two blocks and no two files are alike. */
const blockBytes = 1024 * 1024
/** Odd factors spread the values, so that no block can be told from its neighbour by length alone. */
const pattern = Uint8Array.from({ length: blockBytes }, (_, index) => (index * 167 + (index >>> 8) * 59) & 0xff)

/** @param sizeBytes a multiple of a mebibyte. */
export function* blocksOf(fileNumber: number, sizeBytes: number): Generator<Buffer> {
  for (let block = 0; block < sizeBytes / blockBytes; block += 1) yield blockOf(fileNumber, block)
}

function blockOf(fileNumber: number, block: number): Buffer {
  const bytes = Buffer.from(pattern)
  bytes.writeUInt32LE(fileNumber, 0)
  bytes.writeUInt32LE(block, 4)
  return bytes
}

/** Takes a file's bytes as they come and throws at the first that is wrong; `end` throws when some are missing. */
export class ContentCheck {
  readonly #fileNumber: number
  readonly #sizeBytes: number
  #block: Buffer = Buffer.alloc(0)
  #seenBytes = 0

  constructor(fileNumber: number, sizeBytes: number) {
    this.#fileNumber = fileNumber
    this.#sizeBytes = sizeBytes
  }

  take(piece: Buffer): void {
    for (let offset = 0; offset < piece.length; ) {
      const inBlock = this.#seenBytes % blockBytes
      if (inBlock === 0) this.#block = blockOf(this.#fileNumber, this.#seenBytes / blockBytes)
      const length = Math.min(piece.length - offset, blockBytes - inBlock)
      if (piece.compare(this.#block, inBlock, inBlock + length, offset, offset + length) !== 0)
        throw new Error(`File ${this.#fileNumber} came back wrong near byte ${this.#seenBytes}.`)
      offset += length
      this.#seenBytes += length
    }
  }

  end(): void {
    if (this.#seenBytes !== this.#sizeBytes)
      throw new Error(`${this.#sizeBytes} bytes were sent, ${this.#seenBytes} came back.`)
  }
}
