/**
 * Reads chosen fields of a protobuf message and passes over all others without reading them: a file of gigabytes with its weights inside costs a few
 * reads. Everything in it is taken for hostile: lengths are checked against the message that they lie in, depth, counts and bytes read against limits.
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */
import type { ByteSource } from './byte-source.ts'

/** By field number. */
export type Shape = Readonly<Record<number, Field>>
export interface Field {
  readonly name: string
  /** `integers`: repeated, packed or not. A function where shapes refer to each other. */
  readonly kind: 'text' | 'integer' | 'integers' | (() => Shape)
  /** Of a message that may come once only, a second one is refused: protobuf would merge the two, and another reader may not. */
  readonly isRepeated?: boolean
}

export interface ProtobufLimits {
  readonly bytesReadMax: number
  readonly fieldsMax: number
  /** Messages, texts and numbers that are kept. */
  readonly valuesMax: number
  readonly depthMax: number
  readonly textBytesMax: number
}

type Value = string | number | Message

/** The fields that the shape names, in the order of the file. */
export class Message {
  #fields: Map<string, Value[]> | null = null

  add(name: string, value: Value): void {
    this.#fields ??= new Map()
    const values = this.#fields.get(name)
    if (values) values.push(value)
    else this.#fields.set(name, [value])
  }

  has(name: string): boolean {
    return this.#fields?.has(name) ?? false
  }

  /** The last one counts, as protobuf has it. */
  text(name: string): string | null {
    const value = this.#values(name).at(-1)
    return typeof value === 'string' ? value : null
  }

  integer(name: string): number | null {
    const value = this.#values(name).at(-1)
    return typeof value === 'number' ? value : null
  }

  integers(name: string): number[] {
    return this.#values(name).filter((value) => typeof value === 'number')
  }

  message(name: string): Message | null {
    const value = this.#values(name).at(-1)
    return value instanceof Message ? value : null
  }

  messages(name: string): Message[] {
    return this.#values(name).filter((value) => value instanceof Message)
  }

  #values(name: string): readonly Value[] {
    return this.#fields?.get(name) ?? []
  }
}

interface Frame {
  readonly message: Message
  readonly shape: Shape
  readonly end: number
}

/** A tag and a length or number: two varints. */
const fieldHeadBytesMax = 20

/** Throws an Error that says what is wrong with the message. */
export async function readMessage(source: ByteSource, shape: Shape, limits: ProtobufLimits): Promise<Message> {
  const cursor = new Cursor(source, limits.bytesReadMax)
  const root = new Message()
  const frames: Frame[] = [{ message: root, shape, end: source.sizeBytes }]
  let fields = 0
  let values = 0
  const keep = (message: Message, name: string, value: Value) => {
    values += 1
    if (values > limits.valuesMax) throw new Error(`it holds more than ${limits.valuesMax} values of interest`)
    message.add(name, value)
  }
  for (let frame = frames.at(-1); frame; frame = frames.at(-1)) {
    if (cursor.offset === frame.end) {
      frames.pop()
      continue
    }
    fields += 1
    if (fields > limits.fieldsMax) throw new Error(`it holds more than ${limits.fieldsMax} fields`)
    if (!cursor.holds(fieldHeadBytesMax)) await cursor.fill()
    const tag = cursor.varint(frame.end)
    const number = Math.floor(tag / 8)
    if (number < 1 || number > fieldNumberMax) throw new Error(`it has a field of the impossible number ${number}`)
    const field = frame.shape[number]
    const wireType = tag % 8
    switch (wireType) {
      case wireVarint: {
        const value = cursor.varint(frame.end)
        if (field?.kind === 'integer' || field?.kind === 'integers') keep(frame.message, field.name, value)
        break
      }
      case wireFixed64:
        cursor.skip(8, frame.end)
        break
      case wireFixed32:
        cursor.skip(4, frame.end)
        break
      case wireLength: {
        const length = cursor.varint(frame.end)
        if (length < 0 || length > frame.end - cursor.offset)
          throw new Error(`it announces ${length} bytes where ${frame.end - cursor.offset} are left`)
        if (field === undefined || field.kind === 'integer') cursor.skip(length, frame.end)
        else if (field.kind === 'text' || field.kind === 'integers') {
          if (length > limits.textBytesMax)
            throw new Error(`its field ${field.name} has ${length} bytes; at most ${limits.textBytesMax} are read`)
          if (!cursor.holds(length)) await cursor.fill(length)
          if (field.kind === 'text') keep(frame.message, field.name, cursor.take(length).toString('utf8'))
          else {
            const end = cursor.offset + length
            while (cursor.offset < end) keep(frame.message, field.name, cursor.varint(end))
          }
        } else {
          if (frames.length >= limits.depthMax)
            throw new Error(`its messages are nested deeper than ${limits.depthMax}`)
          if (field.isRepeated !== true && frame.message.has(field.name))
            throw new Error(`it has the field ${field.name} twice, which may come once`)
          const message = new Message()
          keep(frame.message, field.name, message)
          frames.push({ message, shape: field.kind(), end: cursor.offset + length })
        }
        break
      }
      default:
        throw new Error(`it has a field of the wire type ${wireType}, which nothing writes`)
    }
  }
  return root
}

const wireVarint = 0
const wireFixed64 = 1
const wireLength = 2
const wireFixed32 = 5
const fieldNumberMax = 2 ** 29 - 1
const varintBytesMax = 10

/** More than the head of a field, so that small ones are read many at a time; little, because what follows is often skipped. */
const windowBytes = 32 * 1024

/** A place in the file, and the bytes around it. */
class Cursor {
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
