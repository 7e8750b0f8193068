/** A large tensor made ready for a pipe and read back: a frame with raw bytes, against a line of JSON with base64. Both by what one process has to do. */
import { encodeFrame, type Frame } from '../../src/runtime/workers/frame.ts'
import { FrameDecoder } from '../../src/runtime/workers/frame-decoder.ts'
import { decode, encode } from '../../src/runtime/workers/message-pack.ts'
import { p50, warmLoop } from '../harness/loops.ts'
import { median } from '../harness/statistics.ts'
import { NaivePeer } from '../transfer/naive-peer.ts'
import { requireBytes } from '../transfer/peer.ts'
import { WorkerPeer } from '../transfer/worker-peer.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

const mib = 1024 * 1024
const tensorBytes = 12 * mib
const repetitions = 12
const roundTripMs = 1200
/** Of a pipe's chunk, as Node reads it. */
const chunkBytes = 64 * 1024
const meta = { taskId: 7, name: 'pixels', dtype: 'float32', shape: [1024, 1024, 3] }

export const binaryFrames: Mechanism = {
  name: 'binary-frames',
  naive: 'one line of JSON for each message over standard input and output, bytes as base64 in it.',
  pairs: 4,
  comparisons: [
    {
      key: 'codec',
      what: 'tensor of 12 MiB encoded, cut into frames or lines, and decoded',
      unit: 'ms',
      mustBring: { timesFaster: 4 },
    },
    { key: 'bytes', what: 'of a tensor of 12 MiB', unit: 'MB', mustBring: { less: 0.4 } },
    {
      key: 'trip',
      what: 'tensor of 12 MiB from Python through the pipe, no shared memory, p50',
      unit: 'ms',
      mustBring: null,
    },
  ],
  open: async (settings) => {
    await using opened = new AsyncDisposableStack()
    const worker = opened.use(await WorkerPeer.start({ hasSlabs: false }))
    const naive = opened.use(new NaivePeer())
    const data = Buffer.alloc(
      tensorBytes,
      Uint8Array.from({ length: 256 }, (_, byte) => byte),
    )
    const trip = async (peer: WorkerPeer | NaivePeer) =>
      p50(await warmLoop(settings, 1, roundTripMs, () => peer.fetch(tensorBytes)))
    return sidesOf(opened.move(), {
      with: async () => ({ ...measure(data, toFrame, fromFrame), trip: await trip(worker) }),
      without: async () => ({ ...measure(data, toLine, fromLine), trip: await trip(naive) }),
    })
  },
}

function measure(data: Buffer, to: (data: Buffer) => Buffer, from: (chunks: readonly Buffer[]) => number): Values {
  const timesMs: number[] = []
  let bytes = 0
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    const startedAt = performance.now()
    const sent = to(data)
    requireBytes(from(chunksOf(sent)), data.length)
    timesMs.push(performance.now() - startedAt)
    bytes = sent.length
  }
  return { codec: median(timesMs), bytes: bytes / 1e6 }
}

function chunksOf(bytes: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) =>
    bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  )
}

function toFrame(payload: Buffer): Buffer {
  return encodeFrame({ type: 1, requestId: 1, acknowledged: 0, meta: encode(meta), payload })
}

function fromFrame(chunks: readonly Buffer[]): number {
  let bytes = 0
  const decoder = new FrameDecoder((frame: Frame) => {
    decode(frame.meta)
    bytes = frame.payload.length
  })
  for (const chunk of chunks) decoder.push(chunk)
  return bytes
}

function toLine(data: Buffer): Buffer {
  return Buffer.from(`${JSON.stringify({ ...meta, data: data.toString('base64') })}\n`)
}

function fromLine(chunks: readonly Buffer[]): number {
  const line = Buffer.concat(chunks).toString('utf8')
  return Buffer.from((JSON.parse(line) as { readonly data: string }).data, 'base64').length
}
