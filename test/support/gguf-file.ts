/** GGUF files without tensors, as far as their headers go. */
import { unsigned32, unsigned64 } from './little-endian.ts'

const typeUnsigned32 = 4
const typeBoolean = 7
const typeText = 8
const typeArray = 9

export class GgufWriter {
  readonly #pairs: Buffer[] = []

  number(key: string, value: number): this {
    return this.#pair(key, typeUnsigned32, unsigned32(value))
  }

  flag(key: string, value: boolean): this {
    return this.#pair(key, typeBoolean, Buffer.of(value ? 1 : 0))
  }

  text(key: string, value: string): this {
    return this.#pair(key, typeText, text(value))
  }

  texts(key: string, values: readonly string[]): this {
    const content = [unsigned32(typeText), unsigned64(values.length), ...values.map(text)]
    return this.#pair(key, typeArray, Buffer.concat(content))
  }

  bytes(): Buffer {
    const version = 3
    const tensors = 0
    return Buffer.concat([
      Buffer.from('GGUF'),
      unsigned32(version),
      unsigned64(tensors),
      unsigned64(this.#pairs.length),
      ...this.#pairs,
    ])
  }

  #pair(key: string, type: number, value: Buffer): this {
    this.#pairs.push(Buffer.concat([text(key), unsigned32(type), value]))
    return this
  }
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([unsigned64(bytes.length), bytes])
}
