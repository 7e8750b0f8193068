import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type OnnxHeader, parseOnnxHeader, readOnnxHeader } from '../../../../src/runtime/models/onnx-header.ts'
import { fromRoot } from '../../../../src/setup/paths.mjs'
import { bytesSource } from '../../../support/bytes-source.ts'
import { ModelFolders } from '../../../support/model-folder.ts'
import {
  addingModel,
  bytesField,
  initializer,
  message,
  node,
  onnxFile,
  port,
  tensor,
  tensorType,
  varintField,
} from '../../../support/onnx-file.ts'

const input = port(11, { name: 'x', shape: ['batch', 2] })
const output = port(12, { name: 'y', shape: ['batch', 2] })
const parse = (bytes: Uint8Array): Promise<OnnxHeader> => parseOnnxHeader(bytesSource(bytes))

describe('the signature', () => {
  test('has names, types and shapes, symbolic and unknown dimensions told apart', async () => {
    const { signature } = await parse(
      onnxFile(
        port(11, { name: 'ids', dtype: 'int64', shape: ['batch', null] }),
        port(11, { name: 'scale', shape: [] }),
        port(11, { name: 'words', dtype: 'string' }),
        port(12, { name: 'y', dtype: 'float16', shape: ['batch', 384] }),
      ),
    )
    expect(signature).toEqual({
      inputs: [
        { name: 'ids', dtype: 'int64', shape: ['batch', null] },
        { name: 'scale', dtype: 'float32', shape: [] },
        { name: 'words', dtype: 'string', shape: null },
      ],
      outputs: [{ name: 'y', dtype: 'float16', shape: ['batch', 384] }],
      others: [],
    })
  })

  test('leaves out inputs that have a value in the file', async () => {
    const constant = initializer({ name: 'constant', dims: [2], raw: new Uint8Array(8) })
    const old = onnxFile(constant, input, port(11, { name: 'constant', shape: [2] }), output)
    expect((await parse(old)).signature.inputs.map(({ name }) => name)).toEqual(['x'])
  })

  test('takes a negative length for any, as its exporter meant it', async () => {
    const { signature } = await parse(onnxFile(port(11, { name: 'x', shape: [-1, 3, 0] }), output))
    expect(signature.inputs[0]?.shape).toEqual([null, 3, 0])
  })

  test('tells of outputs that are no tensors what they are', async () => {
    const int64 = tensorType({ name: '', dtype: 'int64' })
    const map = message(5, varintField(1, 7), message(2, tensorType({ name: '' })))
    const { signature } = await parse(
      onnxFile(
        input,
        output,
        port(12, { name: 'maps' }, message(4, message(1, map))),
        port(12, { name: 'maybe' }, message(9, message(1, int64))),
      ),
    )
    expect(signature.outputs.map(({ name }) => name)).toEqual(['y'])
    expect(signature.others).toEqual([
      { name: 'maps', type: 'sequence of map of int64 to float32' },
      { name: 'maybe', type: 'optional int64' },
    ])
  })

  test('of what scikit-learn exports is right', async () => {
    const iris = await readOnnxHeader(fromRoot('test/fixtures/iris.onnx'))
    expect(iris).toMatchObject({ producer: 'skl2onnx 1.20.0', externalData: [] })
    expect(iris.signature).toEqual({
      inputs: [{ name: 'X', dtype: 'float32', shape: [null, 4] }],
      outputs: [
        { name: 'label', dtype: 'int64', shape: [null] },
        { name: 'probabilities', dtype: 'float32', shape: [null, 3] },
      ],
      others: [],
    })
    const { signature } = await readOnnxHeader(fromRoot('test/fixtures/iris-zipmap.onnx'))
    expect(signature.others).toEqual([{ name: 'output_probability', type: 'sequence of map of int64 to float32' }])
  })
})

test('weights inside the file are passed over without reading them', async () => {
  const weights = new Uint8Array(8 * 1024 * 1024)
  const file = onnxFile(initializer({ name: 'w', dims: [2 * 1024 * 1024], raw: weights }), input, output)
  const source = bytesSource(file)
  let bytesRead = 0
  await parseOnnxHeader({
    ...source,
    read: (offset, length) => {
      bytesRead += Math.min(length, source.sizeBytes - offset)
      return source.read(offset, length)
    },
  })
  expect(bytesRead).toBeLessThan(100 * 1024)
})

test('tensors in other files are found wherever they are nested', async () => {
  const away = (name: string) => tensor({ name, dims: [2, 3], external: { location: `${name}.bin`, offset: '16' } })
  const inner = Buffer.concat([
    message(5, away('deep')),
    node('Constant', [], ['c'], Buffer.concat([bytesField(1, 'value'), message(5, away('constant'))])),
  ])
  const { externalData } = await parse(
    onnxFile(
      message(5, away('top')),
      node('If', ['x'], ['y'], Buffer.concat([bytesField(1, 'then_branch'), message(6, inner)])),
      message(15, message(1, away('sparse')), message(2, tensor({ name: 'i', dtype: 'int64', dims: [1] }))),
      input,
      output,
    ),
  )
  expect(externalData.map(({ tensor: name }) => name).toSorted()).toEqual(['constant', 'deep', 'sparse', 'top'])
  expect(externalData.find(({ tensor: name }) => name === 'deep')).toEqual({
    tensor: 'deep',
    location: 'deep.bin',
    offset: 16,
    lengthBytes: 24,
  })
})

test('a tensor in another file needs as much as its shape says, whatever length it gives', async () => {
  const short = { location: 'w', offset: '0', length: '4' }
  const file = onnxFile(initializer({ name: 'w', dtype: 'int4', dims: [3, 3], external: short }), input, output)
  expect((await parse(file)).externalData[0]?.lengthBytes).toBe(5)
  const packed = message(5, bytesField(1, Uint8Array.of(3, 4)), varintField(2, 1), bytesField(8, 'p'), ...away)
  expect((await parse(onnxFile(packed, input, output))).externalData[0]?.lengthBytes).toBe(48)
})
const away = [message(13, bytesField(1, 'location'), bytesField(2, 'p')), varintField(14, 1)]

describe('a file is refused, with its reason, when', () => {
  const graph = (...parts: Uint8Array[]) => onnxFile(...parts)
  test.each<[string, Uint8Array, string]>([
    ['it is empty', new Uint8Array(), 'is no ONNX model'],
    ['it is something else', Buffer.from('{"name": "hearth"}'), 'which nothing writes'],
    ['it has no graph', Buffer.concat([varintField(1, 9), message(8, varintField(2, 20))]), 'is no ONNX model'],
    ['it is cut', addingModel(1).subarray(0, 60), 'announces'],
    ['its graph has no outputs', graph(input), 'no outputs'],
    ['it has two graphs', Buffer.concat([addingModel(1), addingModel(2)]), 'twice'],
    ['two inputs share a name', graph(input, input, output), 'two inputs of the name x'],
    ['an output has no name', graph(input, port(12, { name: '' })), 'without a name'],
    ['a type is unknown', graph(port(11, { name: 'x', dtype: 99 }), output), 'unknown element type 99'],
    [
      'an input is no tensor',
      graph(port(11, { name: 'x' }, message(4, message(1, tensorType({ name: '' })))), output),
      'its input x is a sequence of float32',
    ],
    [
      'a tensor is elsewhere and does not say where',
      graph(initializer({ name: 'w', dims: [1], external: {} }), input, output),
      'does not say in which',
    ],
    [
      'an offset is no number',
      graph(initializer({ name: 'w', dims: [1], external: { location: 'w', offset: '-1' } }), input, output),
      'no number of bytes',
    ],
    [
      'a shape is absurd',
      graph(initializer({ name: 'w', dims: [2 ** 40, 2 ** 40], external: { location: 'w' } }), input, output),
      'a shape that no tensor can have',
    ],
    ['a length is absurd', Buffer.from([0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), 'announces'],
    ['a number does not end', Buffer.alloc(30, 0xff), 'does not end'],
    ['it has more dimensions than any tensor', graph(port(11, { name: 'x', shape: Array(65).fill(1) }), output), '65'],
    ['it is nested too deeply', onnxFile(nested(200), input, output), 'nested deeper'],
    [
      'its names are longer than anybody would read',
      graph(...Array.from({ length: 40 }, (_, index) => port(11, { name: `${index}`.padEnd(60_000, 'x') })), output),
      'more than 1048576 characters',
    ],
    ['a name is longer than a name', graph(port(11, { name: 'x'.repeat(70_000) }), output), 'at most 65536'],
  ])('%s', async (_, bytes, words) => {
    await expect(parse(bytes)).rejects.toThrow(words)
  })
})

test('a file is closed after it was read, also when it is refused', async () => {
  await using folders = await ModelFolders.make()
  const path = join(folders.root, 'model.onnx')
  await writeFile(path, addingModel(1))
  expect((await readOnnxHeader(path)).opsets).toEqual([{ domain: '', version: 20 }])
  await writeFile(path, 'nothing')
  await expect(readOnnxHeader(path)).rejects.toThrow()
})

/** Graphs in attributes of nodes of graphs. */
function nested(depth: number): Uint8Array {
  let graph: Uint8Array = new Uint8Array()
  for (let level = 0; level < depth; level += 1) graph = node('If', [], [], message(6, graph))
  return graph
}
