import { describe, expect, test } from 'vitest'
import { parseSafetensorsHeader, type SafetensorsHeader } from '../../../../src/runtime/models/safetensors-header.ts'
import { bytesSource } from '../../../support/bytes-source.ts'

const parse = (bytes: Uint8Array): Promise<SafetensorsHeader> => parseSafetensorsHeader(bytesSource(bytes))
const float = (shape: number[], from: number, to: number) => ({ dtype: 'F32', shape, data_offsets: [from, to] })

test('tensors have their names, types, shapes and places', async () => {
  const header = { __metadata__: { format: 'pt' }, b: float([2], 4, 12), a: float([], 0, 4) }
  const { tensors, metadata } = await parse(file(header, 12))
  const start = file(header, 0).length
  expect(metadata).toEqual({ format: 'pt' })
  expect(tensors).toEqual([
    { name: 'b', dtype: 'F32', shape: [2], offset: start + 4, lengthBytes: 8 },
    { name: 'a', dtype: 'F32', shape: [], offset: start, lengthBytes: 4 },
  ])
})

describe('a file is refused, with its reason, when', () => {
  const huge = Buffer.alloc(8)
  huge.writeBigUInt64LE(2n ** 60n)
  test.each<[string, Uint8Array, string]>([
    ['it is too short', Buffer.alloc(7), 'too short'],
    ['its header is announced as huge', huge, 'at most 100000000'],
    ['its header does not end', file({ a: float([1], 0, 4) }, 0).subarray(0, 20), 'does not end'],
    ['its header is no JSON', text('{"a": '), 'not JSON'],
    ['its header is a list', text('[]'), 'no JSON object'],
    ['a tensor says too little', file({ a: { dtype: 'F32' } }, 0), 'what none can be'],
    ['a type is unknown', file({ a: { ...float([1], 0, 4), dtype: 'F99' } }, 4), 'unknown type F99'],
    ['a shape and its bytes differ', file({ a: float([2], 0, 4) }, 4), 'has 4 bytes, and 8'],
    ['a shape is absurd', file({ a: float([2 ** 50, 2 ** 50], 0, 4) }, 4), 'has 4 bytes'],
    ['tensors overlap', file({ a: float([2], 0, 8), b: float([1], 4, 8) }, 8), 'hole or lies over'],
    ['there is a hole', file({ a: float([1], 4, 8) }, 8), 'hole or lies over'],
    ['it was cut', file({ a: float([2], 0, 8) }, 7), 'was cut or grew'],
    ['metadata are no texts', file({ __metadata__: { a: 1 } }, 0), 'not texts'],
  ])('%s', async (_, bytes, words) => {
    await expect(parse(bytes)).rejects.toThrow(words)
  })
})

function file(header: object, dataBytes: number): Buffer {
  return Buffer.concat([text(JSON.stringify(header)), Buffer.alloc(dataBytes)])
}

function text(json: string): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(json)))
  return Buffer.concat([length, Buffer.from(json)])
}
