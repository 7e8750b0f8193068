/**
 * Reads chosen fields of a protobuf message and passes over all others without reading them: a file of gigabytes with its weights inside costs a few
 * reads. Everything in it is taken for hostile: lengths are checked against the message that they lie in, depth, counts and bytes read against limits.
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */
import type { ByteSource } from './byte-source.ts'
import { Cursor } from './protobuf-cursor.ts'
import { Message, type Value } from './protobuf-message.ts'

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
