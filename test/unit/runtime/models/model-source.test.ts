import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DigestCache } from '../../../../src/runtime/models/digest-cache.ts'
import { bytesToRead, unverified, verifySource } from '../../../../src/runtime/models/found-model.ts'
import { type ModelSource, readSource } from '../../../../src/runtime/models/model-source.ts'
import { slugOf } from '../../../../src/runtime/models/slug.ts'
import { GgufWriter } from '../../../support/gguf-file.ts'
import { ModelFolders } from '../../../support/model-folder.ts'
import { addingModel, addingModelBeside, float32Bytes, node, onnxFile, port } from '../../../support/onnx-file.ts'

const asItSays = { name: null, task: null }
let folders: ModelFolders
beforeEach(async () => {
  folders = await ModelFolders.make()
})
afterEach(() => folders[Symbol.asyncDispose]())

async function write(path: string, content: string | Uint8Array): Promise<string> {
  const whole = join(folders.root, path)
  await mkdir(join(whole, '..'), { recursive: true })
  await writeFile(whole, content)
  return whole
}
async function source(path: string, wish: Parameters<typeof readSource>[1] = asItSays): Promise<ModelSource> {
  const found = await readSource(path, wish)
  if ('field' in found) throw new Error(found.message)
  return found
}

describe('the manifest of an ONNX file', () => {
  test('says what runs it, and what it is made of', async () => {
    const { manifest, manifestFile, problems } = await source(await write('a/Adding Model.onnx', addingModel(1)))
    expect(manifestFile).toBeNull()
    expect(problems).toEqual([])
    expect(manifest).toMatchObject({
      name: 'adding-model',
      task: 'infer',
      engine: 'onnx',
      components: [{ name: 'graph', format: 'onnx', files: [{ path: 'Adding Model.onnx', role: 'graph' }] }],
      graph: [{ program: 'infer', components: ['graph'], after: [] }],
    })
  })

  test('lists the files of its weights, each once', async () => {
    await write('a/w.bin', float32Bytes(1, 2))
    const { manifest } = await source(await write('a/a.onnx', addingModelBeside('./w.bin')))
    expect(manifest.components[0]?.files.map(({ path, role }) => [path, role])).toEqual([
      ['a.onnx', 'graph'],
      ['w.bin', 'weights'],
    ])
  })

  const x = port(11, { name: 'x', shape: ['n', 2] })
  test.each<[string, Uint8Array, number]>([
    ['everything begins with the same symbol', addingModel(1), 32],
    [
      'nothing has a name',
      onnxFile(port(11, { name: 'x', shape: [null, 2] }), port(12, { name: 'y', shape: [null] })),
      32,
    ],
    [
      'an exporter made the names',
      onnxFile(
        port(11, { name: 'x', shape: ['p2o.DynamicDimension.0', 2] }),
        port(12, { name: 'y', shape: ['p2o.DynamicDimension.3'] }),
      ),
      32,
    ],
    ['an output has another', onnxFile(node('A', ['x'], ['y']), x, port(12, { name: 'y', shape: ['m', 2] })), 1],
    ['an output has none', onnxFile(node('A', ['x'], ['y']), x, port(12, { name: 'y', shape: [] })), 1],
    [
      'the first length is fixed',
      onnxFile(port(11, { name: 'x', shape: [1] }), port(12, { name: 'y', shape: [1] })),
      1,
    ],
    ['nothing is known of it', onnxFile(port(11, { name: 'x' }), port(12, { name: 'y' })), 1],
    ['it takes nothing', onnxFile(port(12, { name: 'y', shape: ['n'] })), 1],
  ])('lets requests share a step where rows may: %s', async (_, content, batchLimit) => {
    expect((await source(await write('a/a.onnx', content))).manifest.limits.batchLimit).toBe(batchLimit)
  })

  test('takes its name from the folder where the file is only called model', async () => {
    expect((await source(await write('my-net/model.onnx', addingModel(1)))).manifest.name).toBe('my-net')
    expect((await source(join(folders.root, 'my-net'))).manifest.name).toBe('my-net')
    expect((await source(join(folders.root, 'my-net'), { name: 'other', task: 'infer' })).manifest.name).toBe('other')
  })
})

describe('the manifest of a GGUF file', () => {
  const language = (writer: GgufWriter = new GgufWriter()) =>
    writer
      .text('general.architecture', 'llama')
      .number('llama.context_length', 8192)
      .number('llama.block_count', 2)
      .number('llama.attention.head_count', 4)
      .number('llama.embedding_length', 64)
      .texts('tokenizer.ggml.tokens', ['a', 'b'])

  test('says what its header says, and no more than fits', async () => {
    const content = language().text('general.name', 'Tiny Llama 1.1B!').text('general.license', 'mit').bytes()
    const { manifest, header } = await source(await write('a/x.gguf', content))
    expect(manifest).toMatchObject({
      name: 'tiny-llama-1.1b',
      task: 'generateText',
      license: 'mit',
      engine: 'llama_cpp',
      options: { slots: 1, contextTokens: 4096 },
      limits: { batchLimit: 1, maxTokens: 4096 },
    })
    expect(header.metadata).toEqual({
      'language-model': {
        format: 'gguf',
        architecture: 'llama',
        name: 'Tiny Llama 1.1B!',
        contextTokens: 8192,
        layers: 2,
        hasChatTemplate: false,
      },
    })
  })

  test('says of itself no more than anybody would read', async () => {
    const content = language().text('general.name', 'n'.repeat(100_000)).text('general.license', 'l'.repeat(100_000))
    const { manifest, header } = await source(await write('a/x.gguf', content.bytes()))
    expect(manifest.name).toHaveLength(64)
    expect(manifest.license?.length).toBeLessThan(2000)
    expect(JSON.stringify(header.metadata).length).toBeLessThan(2000)
  })

  test('gives as many slots as its weights are large', async () => {
    const content = Buffer.concat([language().bytes(), Buffer.alloc(16 * 1024 * 1024)])
    expect((await source(await write('a/x.gguf', content))).manifest.options).toMatchObject({ slots: 4 })
  })

  test.each<[string, () => GgufWriter, string]>([
    ['it is no language model', () => new GgufWriter().text('general.architecture', 'clip'), 'is no language model'],
    ['it is an encoder', () => language().flag('llama.attention.causal', false), 'writes no text'],
    ['it has no context', () => language().number('llama.context_length', 0), 'no context length'],
    [
      'nothing could hold it',
      () =>
        language()
          .number('llama.block_count', 2 ** 32 - 1)
          .number('llama.embedding_length', 2 ** 32 - 1),
      'memory',
    ],
    ['it is a part', () => language().number('split.count', 3), 'one of 3 parts; join them first'],
  ])('is refused when %s', async (_, writer, words) => {
    expect(await readSource(await write('a/x.gguf', writer().bytes()), asItSays)).toMatchObject({
      field: 'path',
      message: expect.stringContaining(words) as string,
    })
  })
})

describe('verifying', () => {
  test('gives the digests that a file has, and tells of every byte', async () => {
    await write('a/w.bin', float32Bytes(1, 2))
    const found = await source(await write('a/a.onnx', addingModelBeside('w.bin')))
    const digests = await DigestCache.open(folders.cachePath)
    const total = addingModelBeside('w.bin').length + 8
    expect(bytesToRead(found, digests)).toEqual({ unreadBytes: total, totalBytes: total })
    let told = 0
    const model = await verifySource(found, digests, (bytes) => {
      told += bytes
    })
    expect(told).toBe(total)
    expect(model.state).toBe('READY')
    expect(model.manifest.components[0]?.files[1]?.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(model.files.map(({ path }) => path)).toEqual([join(folders.root, 'a/a.onnx'), join(folders.root, 'a/w.bin')])
    expect(bytesToRead(found, digests).unreadBytes).toBe(0)
  })

  test('takes no file that is another than the one whose header was read', async () => {
    const path = await write('a/a.onnx', addingModel(1))
    const found = await source(path)
    await writeFile(path, addingModel(2))
    const model = await verifySource(found, await DigestCache.open(folders.cachePath))
    expect(model).toMatchObject({
      state: 'REFUSED',
      problem: expect.stringContaining('changed while it was read') as string,
    })
  })

  test('stands for a version before it is one, under a digest that is nobody else’s', async () => {
    const found = await source(await write('a/a.onnx', addingModel(1)))
    const before = unverified(found)
    const after = await verifySource(found, await DigestCache.open(folders.cachePath))
    expect(before).toMatchObject({ state: 'VERIFYING', signature: after.signature, weightsBytes: after.weightsBytes })
    expect(before.sha256).not.toBe(after.sha256)
  })
})

test.each([
  ['SmolLM2 135M Instruct', 'smollm2-135m-instruct'],
  ['..hidden', 'hidden'],
  ['Modèle été', 'modele-ete'],
  ['日本', null],
  ['x'.repeat(100), 'x'.repeat(64)],
  ['a-.', 'a'],
])('%j becomes the name %j', (text, slug) => {
  expect(slugOf(text)).toBe(slug)
})

test.each(['onnx', 'gguf'])(
  'a pipe that is called .%s is refused, and nobody waits for its writer',
  async (extension) => {
    const path = await write('pipe/file', '').then((file) => file.replace(/file$/, `x.${extension}`))
    execFileSync('mkfifo', [path])
    for (const asked of [path, join(path, '..')])
      expect(await readSource(asked, asItSays)).toMatchObject({
        field: 'path',
        message: expect.stringContaining('no') as string,
      })
  },
)
