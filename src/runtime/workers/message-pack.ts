/**
 * MessagePack as the Python side (msgspec) reads and writes it. Four differences between the two are settled here:
 * JavaScript has one number type, so msgpackr would send an integer beyond 32 bits as a float, which msgspec refuses for an `int` field;
 * msgpackr writes typed arrays other than Uint8Array with wrong bytes, and ill-formed text as bytes that are no UTF-8; and `undefined` has no
 * MessagePack form.
 */
import { Packr, Unpackr } from 'msgpackr'
import { flawOf } from './message-pack-shape.ts'
import { ProtocolError } from './protocol-error.ts'

const packr = new Packr({ useRecords: false, variableMapSize: true, encodeUndefinedAsNil: true })
const unpackr = new Unpackr({
  useRecords: false,
  mapsAsObjects: true,
  copyBuffers: true,
  int64AsType: integersBeyond53BitsAsBigint(),
})

/** The bytes are the caller's: nothing writes to them later. */
export function encode(value: unknown): Buffer {
  return packr.pack(sendable(value))
}

/**
 * Throws ProtocolError when the bytes are not one MessagePack value. Integers beyond 2^53 come as bigint; binary values are copies,
 * so nothing of the result refers to `bytes`.
 */
export function decode(bytes: Buffer): unknown {
  const flaw = flawOf(bytes)
  if (flaw !== null) throw new ProtocolError('metadata', `Metadata must be one MessagePack value: ${flaw}.`)
  try {
    return unpackr.unpack(bytes)
  } catch (error) {
    throw new ProtocolError(
      'metadata',
      `Metadata must be one MessagePack value: ${error instanceof Error ? error.message : 'it holds an unused code'}.`,
    )
  }
}

/** Start of an array of `length` values that follow; lets parts that were encoded one by one become one message. */
export function arrayHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(5)
  header.writeUInt8(0xdd, 0)
  header.writeUInt32BE(length, 1)
  return header
}

/** The value itself where msgpackr sends it right (nearly always), else a copy that it does. */
function sendable(value: unknown): unknown {
  // Half of a surrogate pair has no UTF-8 form: the worker would have to take the frame for a broken one.
  if (typeof value === 'string') return value.isWellFormed() ? value : value.toWellFormed()
  if (typeof value === 'number') return Number.isSafeInteger(value) && !fitsIn32Bits(value) ? BigInt(value) : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return sendableItems(value)
  if (ArrayBuffer.isView(value))
    return value instanceof Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  let copy: Record<string, unknown> | null = null
  for (const [name, field] of Object.entries(value)) {
    const sent = sendable(field)
    if (!Object.is(sent, field)) {
      copy ??= { ...value }
      copy[name] = sent
    }
  }
  return copy ?? value
}

function sendableItems(items: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | null = null
  for (const [index, item] of items.entries()) {
    const sent = sendable(item)
    if (!Object.is(sent, item)) {
      copy ??= [...items]
      copy[index] = sent
    }
  }
  return copy ?? items
}

function fitsIn32Bits(value: number): boolean {
  return value >>> 0 === value || value >> 0 === value
}

/** msgpackr's own typing of the option lacks the value that it documents and implements. */
function integersBeyond53BitsAsBigint(): 'bigint' {
  return 'auto' as 'bigint'
}
