import { copyFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseGgufHeader, readGgufHeader } from '../../../../src/runtime/models/gguf-header.ts'
import { textModelWorkingBytes } from '../../../../src/runtime/models/planned-memory.ts'
import { unsigned32, unsigned64 } from '../../../support/little-endian.ts'
import { ModelFolders } from '../../../support/model-folder.ts'

const starterModel = new URL(
  '../../../../models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf',
  import.meta.url,
)

test('the header of the starter model tells what its cache costs', async () => {
  const header = await readGgufHeader(starterModel.pathname)
  expect(header.architecture).toBe('llama')
  expect(header.values.get('llama.block_count')).toBe(30)
  expect(header.values.get('tokenizer.ggml.tokens')).toEqual({ length: 49152 })
  // 23,040 bytes a token, as measured, and the scores of 512 tokens over the vocabulary.
  expect(textModelWorkingBytes(header, { slots: 4, contextTokens: 2048 })).toBe(23_040 * 2048 * 4 + 512 * 49_152 * 4)
})

test('the header of the starter model tells how long it must be, so that a file that was cut is found', async () => {
  const { size } = await stat(starterModel)
  expect((await readGgufHeader(starterModel.pathname)).neededBytes).toBe(size)
  await using folders = await ModelFolders.make()
  const path = join(folders.root, 'cut.gguf')
  await copyFile(starterModel, path)
  await truncate(path, size - 1)
  await expect(readGgufHeader(path)).rejects.toThrow(`its header speaks of ${size}, so it was cut`)
})

describe('a header', () => {
  const pairs = [
    text('general.architecture', 'llama'),
    unsigned('llama.block_count', 2),
    floats('llama.rope', [1.5, 2]),
    texts('words', ['a', 'bc']),
  ]

  test('gives scalars and texts, small arrays of numbers, and the length of other arrays', () => {
    const header = parseGgufHeader(gguf(pairs))
    expect(Object.fromEntries(header?.values ?? [])).toEqual({
      'general.architecture': 'llama',
      'llama.block_count': 2,
      'llama.rope': [1.5, 2],
      words: { length: 2 },
    })
  })

  test('that is not whole yet gives nothing, wherever it is cut', () => {
    const whole = gguf(pairs)
    for (let length = 0; length < whole.length; length += 1)
      expect(parseGgufHeader(whole.subarray(0, length))).toBeNull()
  })

  test.each([
    ['another kind of file', Buffer.from('PK\u0003\u0004 anything'), 'does not begin with GGUF'],
    ['a later version', gguf(pairs, { version: 4 }), 'GGUF version 4; 2 and 3 can be read'],
    ['more pairs than any file has', gguf(pairs, { pairs: 2 ** 40 }), 'announces 1099511627776 pairs'],
    [
      'a key without end',
      Buffer.concat([gguf([]).subarray(0, 16), unsigned64(1), unsigned64(2 ** 50)]),
      'bytes of text',
    ],
    ['a type that is unknown', gguf([Buffer.concat([word('key'), unsigned32(99)])]), 'unknown type 99'],
    [
      'an array of arrays',
      gguf([Buffer.concat([word('key'), unsigned32(9), unsigned32(9), unsigned64(1)])]),
      'an array of arrays',
    ],
    [
      'an array without end',
      gguf([Buffer.concat([word('key'), unsigned32(9), unsigned32(4), unsigned64(2 ** 40)])]),
      'items of an array',
    ],
    ['an architecture without end', gguf([text('general.architecture', 'x'.repeat(65))]), 'names no architecture'],
    ['no architecture', gguf([unsigned('llama.block_count', 2)]), 'names no architecture'],
  ])('of %s is refused', (_, bytes, message) => {
    expect(() => parseGgufHeader(bytes)).toThrow(message)
  })
})

describe('the plan of a text model', () => {
  const heads = [
    unsigned('llama.block_count', 10),
    unsigned('llama.embedding_length', 512),
    unsigned('llama.attention.head_count', 8),
  ]

  test('takes as many KV heads as heads where nothing else is said', () => {
    expect(plan(heads)).toBe(2 * 10 * 8 * 64 * 2 * 100)
  })

  test('takes the KV heads and dimensions that are said', () => {
    const said = [
      unsigned('llama.attention.head_count_kv', 2),
      unsigned('llama.attention.key_length', 128),
      unsigned('llama.attention.value_length', 32),
    ]
    expect(plan([...heads, ...said])).toBe(10 * 2 * (128 + 32) * 2 * 100)
  })

  test('takes each layer for itself where they differ', () => {
    expect(plan([...heads, floats('llama.attention.head_count_kv', [4, 4, 0, 2])])).toBe(10 * 64 * 2 * 2 * 100)
  })

  test.each<[string, readonly Buffer[]]>([
    [
      'more bytes than a number holds',
      [
        unsigned('llama.block_count', 2 ** 32 - 1),
        unsigned('llama.embedding_length', 2 ** 32 - 1),
        unsigned('llama.attention.head_count', 1),
      ],
    ],
    ['heads below none', [...heads, floats('llama.attention.head_count_kv', [-4, 4])]],
    ['heads that are no number', [...heads, floats('llama.attention.head_count_kv', [Number.NaN, 4])]],
    ['half a layer', [floats('llama.block_count', [0.5]), ...heads.slice(1)]],
    ['layers without end', [floats('llama.block_count', [Number.POSITIVE_INFINITY]), ...heads.slice(1)]],
  ])('of %s is refused', (_, pairs) => {
    expect(() => plan(pairs)).toThrow('its header')
  })

  test('names what is missing', () => {
    expect(() => plan(heads.slice(1))).toThrow('its header has no block_count')
  })

  function plan(pairs: readonly Buffer[]): number {
    const header = parseGgufHeader(gguf([text('general.architecture', 'llama'), ...pairs]))
    return textModelWorkingBytes(header!, { slots: 2, contextTokens: 50 })
  }
})

function gguf(pairs: readonly Buffer[], { version = 3, pairs: count = pairs.length } = {}): Buffer {
  return Buffer.concat([Buffer.from('GGUF'), unsigned32(version), unsigned64(0), unsigned64(count), ...pairs])
}
function text(key: string, value: string): Buffer {
  return Buffer.concat([word(key), unsigned32(8), word(value)])
}
function unsigned(key: string, value: number): Buffer {
  return Buffer.concat([word(key), unsigned32(4), unsigned32(value)])
}
function floats(key: string, values: readonly number[]): Buffer {
  const items = values.map((value) => {
    const item = Buffer.alloc(4)
    item.writeFloatLE(value)
    return item
  })
  return Buffer.concat([word(key), unsigned32(9), unsigned32(6), unsigned64(values.length), ...items])
}
function texts(key: string, values: readonly string[]): Buffer {
  return Buffer.concat([word(key), unsigned32(9), unsigned32(8), unsigned64(values.length), ...values.map(word)])
}
function word(value: string): Buffer {
  return Buffer.concat([unsigned64(Buffer.byteLength(value)), Buffer.from(value)])
}
