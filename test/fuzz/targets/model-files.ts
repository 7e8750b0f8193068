/** What is read of files that somebody registers as models: manifests and headers. */
import { resolve } from 'node:path/posix'
import { readNpyHeader } from '../../../src/app/tensors/npy-header.ts'
import { parseGgufHeader } from '../../../src/runtime/models/gguf-header.ts'
import { readManifest } from '../../../src/runtime/models/manifest.ts'
import { parseOnnxHeader } from '../../../src/runtime/models/onnx-header.ts'
import { textModelWorkingBytes } from '../../../src/runtime/models/planned-memory.ts'
import { parseSafetensorsHeader } from '../../../src/runtime/models/safetensors-header.ts'
import { bytesSource } from '../../support/bytes-source.ts'
import { unsigned32, unsigned64 } from '../../support/little-endian.ts'
import { manifestOf } from '../../support/model-folder.ts'
import { addingModel, addingModelBeside } from '../../support/onnx-file.ts'
import { holds, refusedAs, type Target } from '../target.ts'

export const modelFileTargets: readonly Target[] = [
  {
    name: 'manifest',
    form: 'json',
    seeds: [Buffer.from(JSON.stringify(manifestOf('tiny', { 'model.onnx': 'graph', 'a/b.gguf': 'x' })))],
    words: [
      '"../x"',
      '"/etc"',
      '\\u0000',
      '"a\\\\b"',
      'null',
      '[]',
      '{}',
      '"__proto__":',
      '"a/./b"',
      '1e400',
      '\\ud800',
    ],
    read(input) {
      const read = readManifest(input.toString())
      if ('problems' in read)
        return holds(read.problems.length > 0 && read.problems.every((text) => text), 'a refusal says why')
      for (const { files } of read.manifest.components)
        for (const { path } of files)
          holds(resolve('/models/one', path).startsWith('/models/one/'), `${path} stays inside`)
    },
  },
  {
    name: 'gguf-header',
    seeds: [gguf(3), gguf(2)],
    words: ['GGUF', 'general.architecture', '\u0008\u0000\u0000\u0000', '\u0009\u0000\u0000\u0000', '\u00ff'.repeat(8)],
    read(input) {
      try {
        const header = parseGgufHeader(input)
        if (header === null) return
        holds(Number.isFinite(header.neededBytes), 'its length is a number')
        const bytes = textModelWorkingBytes(header, { slots: 4, contextTokens: 4096 })
        holds(Number.isSafeInteger(bytes) && bytes >= 0, `${bytes} are bytes`)
      } catch (error) {
        refusedAs(error, Error)
      }
    },
  },
  {
    name: 'onnx-header',
    seeds: [addingModel(1), addingModel(2, 3), addingModelBeside('weights.bin')],
    words: [
      '\u0012',
      '\u001a',
      '\u00ff\u00ff\u00ff\u00ff\u007f',
      '\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0001',
      '../x',
      'location',
      'ai.onnx',
    ],
    async read(input) {
      try {
        await parseOnnxHeader(bytesSource(input))
      } catch (error) {
        refusedAs(error, Error)
      }
    },
  },
  {
    name: 'safetensors-header',
    seeds: [
      safetensors({ a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] } }, 24),
      safetensors({ __metadata__: { by: 'me' }, b: { dtype: 'I8', shape: [], data_offsets: [0, 1] } }, 1),
    ],
    words: [
      '"__proto__":',
      '"data_offsets":[0,9007199254740993]',
      '"shape":[-1]',
      '[4294967296,4294967296]',
      '"dtype":"F99"',
      '{}',
    ],
    async read(input) {
      try {
        const { tensors } = await parseSafetensorsHeader(bytesSource(input))
        holds(tensors.length <= input.length, 'no more tensors than bytes')
      } catch (error) {
        refusedAs(error, Error)
      }
    },
  },
  {
    name: 'npy-header',
    seeds: [
      Buffer.from(
        "\u0093NUMPY\u0001\u0000v\u0000{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }".padEnd(127) + '\n',
        'latin1',
      ),
    ],
    words: ["'descr':", "'<M8[ns]'", '(,)', '(99999999999999999999,)', 'True', '\u00ff\u00ff'],
    read(input) {
      const read = readNpyHeader(input)
      if (read === null || typeof read === 'string') return
      holds(read.dataOffset <= input.length, 'the elements begin inside the file')
      holds(
        read.shape.every((length) => Number.isSafeInteger(length) && length >= 0),
        'lengths are counts',
      )
    },
  },
]

function gguf(version: number): Buffer {
  const text = (value: string) => [unsigned64(value.length), Buffer.from(value)]
  const pairs = [
    [...text('general.architecture'), unsigned32(8), ...text('llama')],
    [...text('llama.block_count'), unsigned32(4), unsigned32(30)],
    [...text('llama.attention.head_count'), unsigned32(6), unsigned32(0x41000000)],
    [...text('llama.embedding_length'), unsigned32(10), unsigned64(512)],
    [
      ...text('llama.attention.head_count_kv'),
      unsigned32(9),
      unsigned32(5),
      unsigned64(2),
      unsigned32(4),
      unsigned32(2),
    ],
    [
      ...text('llama.rope'),
      unsigned32(9),
      unsigned32(6),
      unsigned64(2),
      unsigned32(0x3fc00000),
      unsigned32(0x40000000),
    ],
    [...text('words'), unsigned32(9), unsigned32(8), unsigned64(2), ...text('a'), ...text('bc')],
    [...text('big'), unsigned32(10), unsigned64(2 ** 40)],
    [...text('yes'), unsigned32(7), Buffer.of(1)],
  ]
  return Buffer.concat([
    Buffer.from('GGUF'),
    unsigned32(version),
    unsigned64(0),
    unsigned64(pairs.length),
    ...pairs.flat(),
  ])
}

function safetensors(header: object, dataBytes: number): Buffer {
  const json = Buffer.from(JSON.stringify(header))
  return Buffer.concat([unsigned64(json.length), json, Buffer.alloc(dataBytes)])
}
