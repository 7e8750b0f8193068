/** The frame vectors that both sides of the worker protocol are checked against (made by the Python side). */
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { encodeFrame, type Frame } from '../../src/runtime/workers/frame.ts'
import { FrameDecoder } from '../../src/runtime/workers/frame-decoder.ts'
import type { SlabName } from '../../src/runtime/workers/large-tensor-reports.ts'
import { decode, encode } from '../../src/runtime/workers/message-pack.ts'
import { ProtocolError } from '../../src/runtime/workers/protocol-error.ts'
import { readReport, reportType } from '../../src/runtime/workers/reports.ts'
import {
  type AdmittedTask,
  creditBytes,
  emptyMeta,
  type GrantedSlab,
  loadMeta,
  policyMeta,
  requestType,
  type SlabRefusal,
  slabGrantMeta,
  slabNamesMeta,
  taskBytes,
  unloadMeta,
  type VerifiedFile,
} from '../../src/runtime/workers/requests.ts'
import type { TensorRegion } from '../../src/runtime/workers/tensors.ts'
import type { TaskId, VersionId } from '../../src/scheduler/ids.ts'

interface Vector {
  readonly name: string
  readonly direction: 'toWorker' | 'toServer'
  readonly hex: string
  readonly frames: readonly VectorFrame[]
  readonly error: string | null
}
interface VectorFrame {
  readonly type: number
  readonly requestId: number
  readonly acknowledged: number
  readonly meta: Readonly<Record<string, unknown>>
  readonly payloadHex: string
}

const { vectors }: { vectors: readonly Vector[] } = JSON.parse(
  readFileSync(new URL('frames.json', import.meta.url), 'utf8'),
  (_, value: unknown) => (isBytes(value) ? Buffer.from(value.bytesHex, 'hex') : value),
)
/** What the header and the length of a stream alone decide, whichever way it goes. */
const framingErrors = new Set(['magic', 'flags', 'reserved', 'limit', 'truncated'])

test('the vectors are there', () => {
  expect(vectors.length).toBeGreaterThan(110)
})

describe('from a worker', () => {
  test.each(vectors.filter(({ direction }) => direction === 'toServer'))('$name', ({ hex, frames, error }) => {
    const { read, breach } = readStream(Buffer.from(hex, 'hex'), (frame) => readReport(frame, referred))
    expect(breach).toBe(error)
    expect(read.map(({ frame }) => frame)).toEqual(frames.map(header))
    for (const [index, { message }] of read.entries()) expect(asWritten(message)).toMatchObject(said(frames[index]!))
  })
})

describe('to a worker', () => {
  test.each(
    vectors.filter(({ direction, error }) => direction === 'toWorker' && (error === null || framingErrors.has(error))),
  )('the frames of: $name', ({ hex, frames, error }) => {
    const { read, breach } = readStream(Buffer.from(hex, 'hex'), (frame) => decode(frame.meta))
    expect(breach).toBe(error)
    expect(read.map(({ frame }) => frame)).toEqual(frames.map(header))
  })

  const writable = vectors.filter(
    ({ direction, frames, error }) =>
      direction === 'toWorker' && error === null && frames.some(({ type }) => type in writers),
  )
  test.each(writable)('what this server writes says the same as: $name', ({ frames }) => {
    for (const { type, meta } of frames) expect(withoutNil(decode(writers[type]!(meta)))).toEqual(withoutNil(meta))
  })

  test('every request of this version is among the vectors', () => {
    const types = new Set(writable.flatMap(({ frames }) => frames.map(({ type }) => type)))
    expect([...types].sort((a, b) => a - b)).toEqual(Object.values(requestType))
  })

  test('a frame is written byte for byte as in the vector', () => {
    const { hex, frames } = vectors.find(({ name }) => name === 'PING')!
    const [{ type, requestId } = frames[0]!] = frames
    expect(
      encodeFrame({ type, requestId, acknowledged: 0, meta: emptyMeta, payload: Buffer.alloc(0) }).toString('hex'),
    ).toBe(hex)
  })
})

/** JSON has no bytes of its own. */
function isBytes(value: unknown): value is { readonly bytesHex: string } {
  return typeof value === 'object' && value !== null && 'bytesHex' in value
}

/** Everything that can be read, and what ended the reading. */
function readStream<Message>(bytes: Buffer, readMessage: (frame: Frame) => Message) {
  const read: { readonly frame: ReturnType<typeof header>; readonly message: Message }[] = []
  const decoder = new FrameDecoder((frame) => {
    const message = readMessage(frame)
    const { type, requestId, acknowledged, payload } = frame
    read.push({ frame: { type, requestId, acknowledged, payloadHex: payload.toString('hex') }, message })
  })
  try {
    decoder.push(bytes)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { read, breach: error.breach }
  }
  return { read, breach: decoder.truncation() === null ? null : 'truncated' }
}

function header({ type, requestId, acknowledged, payloadHex }: VectorFrame) {
  return { type, requestId, acknowledged, payloadHex }
}

/** A message in the field names of the protocol. */
function asWritten(message: object): Record<string, unknown> {
  const names: Readonly<Record<string, string>> = { taskId: 'task', versionId: 'model', creditLeft: 'left' }
  const rename = (value: object) =>
    Object.fromEntries(Object.entries(value).map(([name, field]) => [names[name] ?? name, field]))
  const { entries, times, tooLarge, ...rest } = rename(message) as Partial<Record<string, readonly object[]>>
  const lists = Object.entries({ entries, times, tooLarge }).flatMap(([name, list]) =>
    list ? [[name, list.map(rename)] as const] : [],
  )
  return { ...rest, ...Object.fromEntries(lists) }
}

/** Fields that the protocol has and this server takes no note of. */
const unnoted = new Set(['inputs', 'outputs', 'sequence', 'models', 'gc'])

/** Regions that say what they were made of. */
const referred = { slab: asRegion, transfer: asRegion }

function asRegion(reference: object): TensorRegion {
  const region = { sizeBytes: 0, pieces: () => Readable.from([]), release: () => {} }
  return { ...region, ...reference }
}

/** By type of frame. */
const unnotedOf: Readonly<Record<number, readonly string[]>> = {
  [reportType.revoked]: ['stepMs'],
  [reportType.componentLoaded]: ['loadMs', 'weightsBytes'],
}

/** What of the vector's metadata this server takes note of, with the bytes of tensors in place. */
function said({ type, meta, payloadHex }: VectorFrame): Record<string, unknown> {
  const whole = withTensors(meta, Buffer.from(payloadHex, 'hex')) as Record<string, unknown>
  const isNoted = (name: string) =>
    !unnoted.has(name) && !unnotedOf[type]?.includes(name) && (name !== 'epoch' || type === reportType.hello)
  return Object.fromEntries(Object.entries(whole).filter(([name]) => isNoted(name)))
}

function withTensors(value: unknown, payload: Buffer): unknown {
  if (Array.isArray(value)) return value.map((item) => withTensors(item, payload))
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if ('offset' in value && 'length' in value && !('slabId' in value)) return bytesAt(value as Span, payload)
  if ('dtype' in value && !('span' in value)) {
    const { dtype, shape, ...references } = value as { dtype: unknown; shape: unknown }
    if ('slab' in references || 'transfer' in references)
      return { dtype, shape, region: Object.values<unknown>(references)[0] }
  }
  if ('dtype' in value && 'span' in value) {
    const { dtype, shape, span } = value as unknown as { dtype: string; shape: readonly number[]; span: Span }
    return { dtype, shape, data: bytesAt(span, payload) }
  }
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withTensors(field, payload)]))
}

interface Span {
  readonly offset: number
  readonly length: number
}

function bytesAt({ offset, length }: Span, payload: Buffer): Uint8Array {
  return new Uint8Array(payload.subarray(offset, offset + length))
}

/** How this server writes each request, from the vector's metadata. */
const writers: Readonly<Record<number, (meta: Readonly<Record<string, unknown>>) => Buffer>> = {
  [requestType.load]: ({ model, manifest, directory, components, files }) =>
    loadMeta({
      versionId: model as VersionId,
      manifest,
      directory: String(directory),
      components: components as string[],
      ...(files === undefined ? {} : { files: files as readonly VerifiedFile[] }),
    }),
  [requestType.unload]: ({ model }) => unloadMeta(model as VersionId),
  [requestType.admit]: ({ tasks }) => joined((tasks as readonly WrittenTask[]).map(writeTask)),
  [requestType.restore]: ({ tasks }) => joined((tasks as readonly WrittenTask[]).map(writeTask)),
  [requestType.withdraw]: writeTaskNumbers,
  [requestType.cancel]: writeTaskNumbers,
  [requestType.pause]: writeTaskNumbers,
  [requestType.resume]: writeTaskNumbers,
  [requestType.checkpoint]: writeTaskNumbers,
  [requestType.release]: writeTaskNumbers,
  [requestType.policy]: ({ model, ...policy }) =>
    policyMeta({ versionId: model as VersionId, ...(policy as Omit<Parameters<typeof policyMeta>[0], 'versionId'>) }),
  [requestType.credit]: ({ tasks }) =>
    joined((tasks as readonly { task: TaskId; items: number }[]).map(({ task, items }) => creditBytes(task, items))),
  [requestType.ping]: () => emptyMeta,
  [requestType.stats]: () => emptyMeta,
  [requestType.shutdown]: () => emptyMeta,
  [requestType.lease]: () => emptyMeta,
  [requestType.revoke]: () => emptyMeta,
  [requestType.slabGrant]: ({ slabs, refused }) =>
    slabGrantMeta(slabs as readonly GrantedSlab[], (refused as SlabRefusal | undefined) ?? null),
  [requestType.slabReturn]: ({ slabs }) => slabNamesMeta(slabs as readonly SlabName[]),
  [requestType.slabRecall]: ({ slabs }) => slabNamesMeta(slabs as readonly SlabName[]),
}

type WrittenTask = Omit<AdmittedTask, 'taskId' | 'versionId' | 'isHeld'> & {
  readonly task: TaskId
  readonly model: VersionId
  readonly hold: boolean | null
}

function writeTask({ task, model, hold, ...rest }: WrittenTask): Buffer {
  return taskBytes({
    ...rest,
    taskId: task,
    versionId: model,
    deadlineMs: rest.deadlineMs ?? null,
    stage: rest.stage ?? 'inference',
    isHeld: hold ?? false,
    inputs: rest.inputs ?? {},
    saved: rest.saved ?? null,
  })
}

function writeTaskNumbers({ tasks }: Readonly<Record<string, unknown>>): Buffer {
  return joined((tasks as readonly number[]).map((task) => encode(task)))
}

function joined(parts: readonly Buffer[]): Buffer {
  return encode({ tasks: parts.map((part) => decode(part)) })
}

/** Optional fields that are nil may as well be left out. */
function withoutNil(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (Array.isArray(value)) return value.map(withoutNil)
  const fields = Object.entries(value).filter(([, field]) => field !== null)
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutNil(field)]))
}
