/** The codec under any content and any split of the byte stream. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrame, type Frame, headerBytes } from '../../src/runtime/workers/frame.ts'
import { FrameDecoder } from '../../src/runtime/workers/frame-decoder.ts'
import { decode, encode } from '../../src/runtime/workers/message-pack.ts'
import { ProtocolError } from '../../src/runtime/workers/protocol-error.ts'
import { readReport } from '../../src/runtime/workers/reports.ts'
import { noLargeTensors } from '../../src/runtime/workers/tensors.ts'

const unsigned32 = fc.integer({ min: 0, max: 0xffff_ffff })
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))
const frame: fc.Arbitrary<Frame> = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  requestId: unsigned32,
  acknowledged: unsigned32,
  meta: bytes,
  payload: bytes,
})
/** Sizes of chunks; more bytes than that come in one last chunk. */
const split = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 100 })

test('whatever is written is read, however the stream is split', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), split, (frames, sizes) => {
      const { read, breach } = readInChunks(Buffer.concat(frames.map(encodeFrame)), sizes)
      expect(read).toEqual(frames)
      expect(breach).toBeNull()
    }),
  )
})

test('a damaged stream gives the same frames and the same breach, however it is split', () => {
  const damage = fc.record({ at: fc.nat(), by: fc.integer({ min: 1, max: 255 }) })
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 5 }), damage, split, (frames, { at, by }, sizes) => {
      const stream = Buffer.concat(frames.map(encodeFrame))
      const place = at % stream.length
      stream[place] = (stream[place] ?? 0) ^ by
      expect(readInChunks(stream, sizes)).toEqual(readInChunks(stream, []))
    }),
  )
})

test('a stream that is cut gives every whole frame, and says that it was cut', () => {
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 5 }), fc.nat(), split, (frames, at, sizes) => {
      const encoded = frames.map(encodeFrame)
      const stream = Buffer.concat(encoded)
      const length = at % stream.length
      const { read, breach } = readInChunks(stream.subarray(0, length), sizes)
      let end = 0
      const whole = encoded.filter((one) => (end += one.length) <= length)
      expect(read).toEqual(frames.slice(0, whole.length))
      expect(breach).toBe(Buffer.concat(whole).length === length ? null : 'truncated')
    }),
  )
})

test('nothing is made of random bytes but a breach of the protocol', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: headerBytes, maxLength: 500 }), split, (noise, sizes) => {
      expect(readInChunks(Buffer.from(noise), sizes).breach).toBe('magic')
    }),
  )
})

test('random metadata in a sound frame is read or refused, never anything else', () => {
  const type = fc.integer({ min: 64, max: 78 })
  const meta = fc.oneof(bytes, fc.jsonValue().map(encode))
  fc.assert(
    fc.property(type, meta, bytes, (type, meta, payload) => {
      try {
        readReport({ type, requestId: 0, acknowledged: 0, meta, payload }, noLargeTensors)
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
    }),
    { numRuns: 2000 },
  )
})

test('plain values come back as they were sent', () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.maxSafeInteger(),
      fc.double({ noNaN: true }),
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        fc.string().filter((name) => name !== '__proto__'),
        tie('value'),
        { maxKeys: 4, noNullPrototype: true },
      ),
    ),
  })).value
  fc.assert(
    fc.property(value, (sent) => {
      expect(decode(encode(sent))).toEqual(withoutNegativeZero(sent))
    }),
  )
})

function readInChunks(stream: Buffer, sizes: readonly number[]): { read: Frame[]; breach: string | null } {
  const read: Frame[] = []
  // What is kept of a frame must be copied: its buffers hold only until the next chunk.
  const decoder = new FrameDecoder((frame) =>
    read.push({ ...frame, meta: Buffer.from(frame.meta), payload: Buffer.from(frame.payload) }),
  )
  let offset = 0
  try {
    for (const size of [...sizes, stream.length]) {
      // Each chunk in memory of its own, which is overwritten afterwards.
      const chunk = Buffer.from(stream.subarray(offset, offset + size))
      decoder.push(chunk)
      chunk.fill(0xee)
      offset += size
    }
  } catch (error) {
    if (error instanceof ProtocolError) return { read, breach: error.breach }
    throw error
  }
  return { read, breach: decoder.truncation() === null ? null : 'truncated' }
}

/** MessagePack's integers have one zero. */
function withoutNegativeZero(value: unknown): unknown {
  if (Object.is(value, -0)) return 0
  if (Array.isArray(value)) return value.map(withoutNegativeZero)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withoutNegativeZero(field)]))
}
