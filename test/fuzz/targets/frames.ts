/** What a worker sends: the stream cut into frames, and the reports in them. The vectors of the protocol are the seeds. */
import { readFileSync } from 'node:fs'
import { encodeFrame, type Frame, headerBytes } from '../../../src/runtime/workers/frame.ts'
import { FrameDecoder } from '../../../src/runtime/workers/frame-decoder.ts'
import { decode } from '../../../src/runtime/workers/message-pack.ts'
import { ProtocolError } from '../../../src/runtime/workers/protocol-error.ts'
import { readReport } from '../../../src/runtime/workers/reports.ts'
import { type LargeTensors, releaseRegions, type TensorRegion } from '../../../src/runtime/workers/tensors.ts'
import { holds, refusedAs, type Target } from '../target.ts'

const { vectors } = JSON.parse(readFileSync(new URL('../../contract/frames.json', import.meta.url), 'utf8')) as {
  vectors: readonly { hex: string; direction: string }[]
}
const streams = vectors.map(({ hex }) => Buffer.from(hex, 'hex')).filter(({ length }) => length < 10_000)
const reports = vectors.filter(({ direction }) => direction === 'toServer').map(({ hex }) => Buffer.from(hex, 'hex'))

/** Every reference is good; a region that is released twice, or forgotten, is found. */
const region = (sizeBytes: number): TensorRegion => {
  holds(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, `${sizeBytes} bytes in a region`)
  return { sizeBytes, pieces: nothing, release: () => {} }
}
async function* nothing(): AsyncGenerator<Uint8Array> {}
const large: LargeTensors = { slab: ({ length }) => region(length), transfer: ({ length }) => region(length) }

export const frameTargets: readonly Target[] = [
  {
    name: 'frame-stream',
    seeds: streams,
    words: ['HRT\u0001', '\u0001\u0000\u0000\u0000'],
    read(input) {
      const whole = framesOf(input, input.length)
      // However a stream is cut, it says the same.
      const inPieces = framesOf(input, Math.max(1 + ((input[0] ?? 0) % 37), input.length >> 6))
      holds(whole === inPieces, 'the frames do not depend on how they came')
    },
  },
  {
    name: 'reports',
    seeds: reports.filter(({ length }) => length < 10_000),
    words: [
      '\u0080',
      '\u0090',
      '\u00c0',
      '\u00c3',
      '\u00df',
      '\u00dd',
      'dtype',
      'shape',
      'span',
      'slab',
      'transfer',
      'task',
      'entries',
      'saved',
      'picture',
      'handOver',
    ],
    read(input) {
      // The header is kept right, so that changes reach what is inside.
      const type = 64 + ((input[4] ?? 0) % 18)
      const cut = headerBytes + ((input.length - headerBytes) >> 1)
      const claimed = input.length >= headerBytes ? headerBytes + Math.min(input.readUInt32LE(16), input.length) : cut
      const meta = input.subarray(headerBytes, claimed)
      try {
        releaseRegions(
          readReport({ type, requestId: 1, acknowledged: 0, meta, payload: input.subarray(claimed) }, large),
        )
      } catch (error) {
        refusedAs(error, ProtocolError)
      }
    },
  },
  {
    name: 'message-pack',
    seeds: reports.map((bytes) => bytes.subarray(headerBytes)).filter(({ length }) => length < 10_000),
    words: ['\u00d4', '\u00d8', '\u00c7', '\u00c9', '\u00dc\u00ff\u00ff', '\u00de\u00ff\u00ff', '\u00a9__proto__'],
    read(input) {
      try {
        decode(input)
      } catch (error) {
        refusedAs(error, ProtocolError)
      }
      holds(!('isAdmin' in {}), 'no prototype was changed')
    },
  },
]

/** As text: every frame, and what ended the reading. */
function framesOf(stream: Buffer, pieceBytes: number): string {
  const seen: string[] = []
  const decoder = new FrameDecoder((frame: Frame) => seen.push(encodeFrame(frame).toString('latin1')))
  try {
    for (let at = 0; at < stream.length; at += pieceBytes)
      decoder.push(Buffer.from(stream.subarray(at, at + pieceBytes)))
  } catch (error) {
    refusedAs(error, ProtocolError)
    return JSON.stringify([seen, 'breach'])
  }
  return JSON.stringify([seen, decoder.truncation() === null])
}
