/** The frame of PROTOCOL.md section 2: a fixed header of 24 bytes, MessagePack metadata, raw payload. Little endian throughout. */
import { ProtocolError } from './protocol-error.ts'

export const headerBytes = 24
export const metaBytesMax = 16 * 1024 * 1024
export const payloadBytesMax = 16 * 1024 * 1024

/** `HRT`, version 1. */
const magic = 0x01_54_52_48

export interface Frame {
  readonly type: number
  /** Of a request, or the request that this frame answers; 0 = neither. */
  readonly requestId: number
  /** Worker to server: the highest requestId taken from the stream so far; server to worker: 0. */
  readonly acknowledged: number
  /** From the decoder both are views that hold only until the next chunk is pushed: what is kept must be copied. */
  readonly meta: Buffer
  readonly payload: Buffer
}

export interface FrameHeader {
  readonly type: number
  readonly requestId: number
  readonly acknowledged: number
  readonly metaLength: number
  readonly payloadLength: number
}

/** One buffer, ready to be written. Throws a RangeError when metadata or payload exceed what a frame may hold. */
export function encodeFrame(frame: Frame): Buffer {
  const { meta, payload } = frame
  if (meta.length > metaBytesMax)
    throw new RangeError(`A frame holds at most ${metaBytesMax} bytes of metadata, not ${meta.length}.`)
  if (payload.length > payloadBytesMax)
    throw new RangeError(`A frame holds at most ${payloadBytesMax} bytes of payload, not ${payload.length}.`)
  const bytes = Buffer.allocUnsafe(headerBytes + meta.length + payload.length)
  bytes.writeUInt32LE(magic, 0)
  bytes.writeUInt32LE(frame.type, 4) // Also clears flags and the reserved field.
  bytes.writeUInt32LE(frame.requestId, 8)
  bytes.writeUInt32LE(frame.acknowledged, 12)
  bytes.writeUInt32LE(meta.length, 16)
  bytes.writeUInt32LE(payload.length, 20)
  bytes.set(meta, headerBytes)
  bytes.set(payload, headerBytes + meta.length)
  return bytes
}

/** Reads the 24 bytes at `offset`; throws ProtocolError before anything is allocated for a frame that must not come. */
export function readHeader(bytes: Buffer, offset: number): FrameHeader {
  if (bytes.readUInt32LE(offset) !== magic) {
    throw new ProtocolError(
      'magic',
      `A frame must begin with the magic 48 52 54 01, not with ${hex(bytes, offset, 4)}.`,
    )
  }
  if (bytes[offset + 5] !== 0)
    throw new ProtocolError('flags', `The flags of a frame must be 0, not ${bytes[offset + 5]}.`)
  if (bytes.readUInt16LE(offset + 6) !== 0)
    throw new ProtocolError(
      'reserved',
      `The reserved field of a frame must be 0, not ${bytes.readUInt16LE(offset + 6)}.`,
    )
  const metaLength = bytes.readUInt32LE(offset + 16)
  if (metaLength > metaBytesMax)
    throw new ProtocolError(
      'limit',
      `A frame may carry at most ${metaBytesMax} bytes of metadata; ${metaLength} were announced.`,
    )
  const payloadLength = bytes.readUInt32LE(offset + 20)
  if (payloadLength > payloadBytesMax)
    throw new ProtocolError(
      'limit',
      `A frame may carry at most ${payloadBytesMax} bytes of payload; ${payloadLength} were announced.`,
    )
  return {
    type: bytes.readUInt8(offset + 4),
    requestId: bytes.readUInt32LE(offset + 8),
    acknowledged: bytes.readUInt32LE(offset + 12),
    metaLength,
    payloadLength,
  }
}

function hex(bytes: Buffer, offset: number, length: number): string {
  return bytes.toString('hex', offset, offset + length).replace(/(..)(?=.)/g, '$1 ')
}
