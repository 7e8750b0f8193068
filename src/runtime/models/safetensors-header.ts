/**
 * The header of a safetensors file: an unsigned 64-bit length, little endian, then JSON that gives each tensor's type, shape and place in the rest.
 * Hostile files end in an Error. Layout: https://github.com/huggingface/safetensors#format
 */

import { z } from 'zod'
import { type ByteSource, fileSource } from './byte-source.ts'
import { openRegularFile } from './regular-file.ts'

export interface SafetensorsHeader {
  readonly tensors: readonly {
    readonly name: string
    readonly dtype: string
    readonly shape: readonly number[]
    /** From the beginning of the file. */
    readonly offset: number
    readonly lengthBytes: number
  }[]
  readonly metadata: Readonly<Record<string, string>>
}

/** As the reference implementation has it. */
const headerBytesMax = 100_000_000
const tensorsMax = 1_000_000
const lengthBytes = 8

const length = z.number().int().min(0)
const tensorEntry = z.object({
  dtype: z.string(),
  shape: z.array(length).max(64),
  data_offsets: z.tuple([length, length]),
})
const metadataEntry = z.record(z.string(), z.string())

const bitsPerItem: Readonly<Record<string, number>> = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U16: 16,
  I16: 16,
  F16: 16,
  BF16: 16,
  U32: 32,
  I32: 32,
  F32: 32,
  U64: 64,
  I64: 64,
  F64: 64,
  C64: 64,
}

/** Throws an Error that says what is wrong with the file. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  await using file = await openRegularFile(path)
  return await parseSafetensorsHeader(await fileSource(file))
}

/** As `readSafetensorsHeader`, of what is open already. */
export async function parseSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const dataStart = lengthBytes + (await headerLength(source))
  const json = parseJson(await source.read(lengthBytes, dataStart - lengthBytes))
  const { __metadata__: metadata = {}, ...entries } = json
  const names = Object.keys(entries)
  if (names.length > tensorsMax)
    throw new Error(`its header lists ${names.length} tensors; at most ${tensorsMax} are read`)
  const tensors = names.map((name) => tensorOf(name, entries[name], dataStart))
  checkPlaces(tensors, dataStart, source.sizeBytes)
  const texts = metadataEntry.safeParse(metadata)
  if (!texts.success) throw new Error('the metadata of its header are not texts by name')
  return { tensors, metadata: texts.data }
}

async function headerLength(source: ByteSource): Promise<number> {
  const first = await source.read(0, lengthBytes)
  if (first.length < lengthBytes) throw new Error('it is too short to be a safetensors file')
  const bytes = Number(first.readBigUInt64LE(0))
  if (bytes > headerBytesMax)
    throw new Error(`it announces a header of ${bytes} bytes; at most ${headerBytesMax} are read`)
  if (lengthBytes + bytes > source.sizeBytes) throw new Error('its header does not end')
  return bytes
}

function parseJson(bytes: Buffer): Record<string, unknown> {
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new Error(`its header is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error('its header is no JSON object')
  return { ...json }
}

function tensorOf(name: string, entry: unknown, dataStart: number): SafetensorsHeader['tensors'][number] {
  const read = tensorEntry.safeParse(entry)
  if (!read.success) throw new Error(`its header says of the tensor ${name} what none can be`)
  const { dtype, shape, data_offsets: places } = read.data
  const bits = bitsPerItem[dtype]
  if (bits === undefined) throw new Error(`its tensor ${name} has the unknown type ${dtype}`)
  const bytes = (shape.reduce((product, items) => product * items, 1) * bits) / 8
  if (!Number.isSafeInteger(bytes) || places[1] - places[0] !== bytes)
    throw new Error(`its tensor ${name} has ${places[1] - places[0]} bytes, and ${bytes} by its type and shape`)
  return { name, dtype, shape, offset: dataStart + places[0], lengthBytes: bytes }
}

/** The format allows neither holes nor overlaps: both are how a second content hides in a file. */
function checkPlaces(tensors: SafetensorsHeader['tensors'], dataStart: number, sizeBytes: number): void {
  let end = dataStart
  for (const { name, offset, lengthBytes: bytes } of tensors.toSorted(
    (one, other) => one.offset - other.offset || one.lengthBytes - other.lengthBytes,
  )) {
    if (offset !== end) throw new Error(`its tensor ${name} leaves a hole or lies over another`)
    end = offset + bytes
  }
  if (end !== sizeBytes)
    throw new Error(`it has ${sizeBytes} bytes; its header speaks of ${end}, so it was cut or grew`)
}
