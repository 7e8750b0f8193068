import { createHash } from 'node:crypto'
import { copyFile, mkdir, open, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromRoot } from '../../src/setup/paths.mjs'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { manifestOf } from '../support/model-folder.ts'
import { ModelWatch } from '../support/model-watch.ts'
import { addingModel, addingModelBeside, float32Bytes, initializer, onnxFile, port } from '../support/onnx-file.ts'
import { currentVersion, ModelFolder, register, registered, versionById } from '../support/registrations.ts'
import { noop, trySubmit } from '../support/submissions.ts'
import { until } from '../support/until.ts'

const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')
const smollm = fromRoot('models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf')

let folder: ModelFolder
let hearth: Hearth
beforeAll(async () => {
  folder = await ModelFolder.make()
  hearth = await startHearth({ environment: { ...folder.environment, HEARTH_MODEL_CHECK_MS: '50' } })
})
afterAll(async () => {
  await hearth.stop()
  await folder[Symbol.asyncDispose]()
})

describe('an ONNX file', () => {
  test('is registered by its path, with what its header says', async () => {
    const content = addingModel(1)
    const path = await folder.write('one/adding.onnx', content)
    const { model, version } = await register(hearth, { path })
    expect(model).toMatchObject({ name: 'adding', task: 'infer' })
    expect(version).toMatchObject({
      state: 'READY',
      problem: null,
      verifiedBytes: null,
      sizeBytes: content.length,
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 2] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 2] }],
      metadata: { graph: { format: 'onnx', producer: 'hearth-test 1', opsets: { 'ai.onnx': 20 } } },
      components: [{ name: 'graph', format: 'onnx' }],
    })
    expect(version?.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(version?.version).toBe(version?.sha256.slice(0, 12))
  })

  test('may be given by its folder, relative to a model folder, and under another name', async () => {
    await folder.write('my-adder/model.onnx', addingModel(2))
    expect((await register(hearth, { path: 'my-adder' })).model?.name).toBe('my-adder')
    expect((await register(hearth, { path: join(folder.path, 'my-adder'), name: 'adder-2' })).model?.name).toBe(
      'adder-2',
    )
  })

  test('with weights beside it has both as its content', async () => {
    const path = await folder.write('beside/graph.onnx', addingModelBeside('weights/w.bin', 2, 8))
    const weights = await folder.write('beside/weights/w.bin', float32Bytes(0, 0, 3, 4))
    const first = await registered(hearth, { path })
    expect(first.sizeBytes).toBe(addingModelBeside('weights/w.bin', 2, 8).length + 16)
    await writeFile(weights, float32Bytes(0, 0, 5, 6))
    const second = await until('the new weights are a new version', async () => {
      const current = await currentVersion(hearth, 'graph')
      return current !== null && current.sha256 !== first.sha256 && current
    })
    expect(second.state).toBe('READY')
  })

  test('as scikit-learn exports it says what it takes and gives', async () => {
    await mkdir(join(folder.path, 'sklearn'))
    for (const name of ['iris.onnx', 'iris-zipmap.onnx'])
      await copyFile(fromRoot(`test/fixtures/${name}`), join(folder.path, 'sklearn', name))
    expect(await registered(hearth, { path: 'sklearn/iris.onnx' })).toMatchObject({
      inputs: [{ name: 'X', dtype: 'float32', shape: [null, 4] }],
      outputs: [
        { name: 'label', dtype: 'int64', shape: [null] },
        { name: 'probabilities', dtype: 'float32', shape: [null, 3] },
      ],
    })
    expect((await registered(hearth, { path: 'sklearn/iris-zipmap.onnx' })).outputs).toEqual([
      { name: 'output_label', dtype: 'int64', shape: [null] },
      { name: 'output_probability', dtype: 'sequence of map of int64 to float32', shape: null },
    ])
  })
})

test('a GGUF file is registered with what its header says, and a license', async () => {
  await mkdir(join(folder.path, 'text'))
  await copyFile(smollm, join(folder.path, 'text', 'any.gguf'))
  const { model, version } = await register(hearth, { path: 'text/any.gguf', task: 'generateText' })
  expect(model).toMatchObject({ name: expect.stringMatching(/^smollm2/) as string, task: 'generateText' })
  expect(version).toMatchObject({
    state: 'READY',
    sizeBytes: 98_362_432,
    inputs: null,
    outputs: null,
    defaults: { maxTokens: 256 },
    metadata: { 'language-model': { format: 'gguf', architecture: 'llama', hasChatTemplate: true } },
  })
  expect(version?.peakBytes).toBeGreaterThan(98_362_432)
})

test('a folder with a manifest is registered as the manifest has it', async () => {
  const files = { 'weights.bin': 'any numbers' }
  const manifest = { ...manifestOf('from-manifest', files), license: 'MIT' }
  await folder.write('with-manifest/weights.bin', files['weights.bin'])
  await folder.write('with-manifest/model.json', JSON.stringify(manifest))
  const { model, version } = await register(hearth, { path: 'with-manifest' })
  expect(model).toMatchObject({ name: 'from-manifest', task: 'embedText' })
  expect(version).toMatchObject({ state: 'READY', license: 'MIT' })
  const again = await register(hearth, { path: 'with-manifest', expectedSha256: version?.sha256 ?? '' })
  expect(again.version?.id).toBe(version?.id)
})

test('equal components of two models have the same digest', async () => {
  await folder.write('equal/first.onnx', addingModel(7))
  await folder.write('equal/second.onnx', addingModel(7))
  await folder.write('equal/third.onnx', addingModel(8))
  const [first, second, third] = await Promise.all(
    ['first', 'second', 'third'].map((name) => registered(hearth, { path: `equal/${name}.onnx` })),
  )
  expect(first?.components[0]?.sha256).toBe(second?.components[0]?.sha256)
  expect(first?.components[0]?.sha256).not.toBe(third?.components[0]?.sha256)
  expect(first?.sha256).not.toBe(second?.sha256)
})

test('registering the same path again changes nothing', async () => {
  const path = await folder.write('again/again.onnx', addingModel(9))
  const first = await registered(hearth, { path })
  expect((await registered(hearth, { path })).id).toBe(first.id)
})

test('a model that was found by itself is registered already, whichever path leads to it', async () => {
  const current = await currentVersion(hearth, 'noop')
  await symlink(fromRoot('bench/models/noop'), join(folder.path, 'linked-noop'))
  for (const path of [fromRoot('bench/models/noop'), 'linked-noop'])
    expect(await registered(hearth, { path })).toMatchObject({ id: current?.id, state: 'READY' })
})

test('modelEvents tells of a model that is registered', async () => {
  const events = new ModelWatch(hearth, null)
  await until('the subscription stands', async () => {
    await folder.write('told/told.onnx', addingModel(Math.random()))
    await registered(hearth, { path: 'told/told.onnx' })
    return events.events.some(({ __typename, model }) => __typename === 'ModelRegistered' && model.name === 'told')
  })
  await events.hangUp()
})

describe('refused, with a word on what to do, is', () => {
  test('a path outside the model folders, whether something is there or not', async () => {
    for (const path of ['/etc/passwd', '/nowhere/model.onnx', '../secret.onnx', '', '/tmp/../etc']) {
      const answer = await register(hearth, { path })
      expect(answer, path).toMatchObject({ __typename: 'InvalidInputError', fields: [{ path: 'path' }] })
      expect(answer.fields?.[0]?.message).toContain(folder.path)
    }
  })

  test('a link that leads out', async () => {
    const outside = join(tmpdir(), `hearth-outside-${process.pid}.onnx`)
    await writeFile(outside, addingModel(1))
    await symlink(outside, join(folder.path, 'link.onnx'))
    expect(await register(hearth, { path: 'link.onnx' })).toMatchObject({ fields: [{ path: 'path' }] })
    await mkdir(join(folder.path, 'linked'))
    await folder.write('linked/graph.onnx', addingModelBeside('w.bin'))
    await symlink(outside, join(folder.path, 'linked/w.bin'))
    const answer = await register(hearth, { path: 'linked/graph.onnx' })
    expect(answer.fields?.[0]?.message).toContain("w.bin leads out of the model's own folder")
    await rm(outside)
  })

  test('what is not there', async () => {
    expect(await register(hearth, { path: join(folder.path, 'missing.onnx') })).toMatchObject({
      __typename: 'NotFoundError',
      kind: 'Model file',
    })
  })

  test.each<[string, string, string | Uint8Array, string]>([
    ['a pickle', 'classifier.pkl', Uint8Array.of(0x80, 4, 0x95), 'is a pickle'],
    ['a pickle with an honest face', 'classifier.onnx', Uint8Array.of(0x80, 4, 0x95), 'is a pickle'],
    ["torch's archive", 'net.pt', 'PK', 'convert it to safetensors, GGUF or ONNX'],
    ['weights without a graph', 'weights.safetensors', 'x', 'needs a folder with a model.json'],
    ['another file', 'readme.txt', 'hello', 'needs a folder with a model.json'],
    ['an ONNX file that is none', 'none.onnx', 'hello there', 'cannot be used'],
    ['an ONNX file that was cut', 'cut.onnx', addingModel(1).subarray(0, 50), 'cannot be used: it announces'],
    ['a GGUF file that is none', 'none.gguf', 'GGUX', 'does not begin with GGUF'],
    ['weights in a file that is missing', 'lost.onnx', addingModelBeside('lost.bin'), 'lost.bin is missing'],
    ['weights outside', 'out.onnx', addingModelBeside('../w.bin'), 'only files beside or below the graph are read'],
    ['weights at an absolute place', 'abs.onnx', addingModelBeside('/etc/passwd'), 'only files beside or below'],
    ['weights in memory', 'memory.onnx', addingModelBeside('*/_ORT_MEM_ADDR_/*'), 'only files beside or below'],
    ['weights in itself', 'self.onnx', addingModelBeside('self.onnx'), 'in itself'],
    [
      'a graph that gives nothing',
      'mute.onnx',
      onnxFile(port(11, { name: 'x', shape: [1] }), initializer({ name: 'w', dims: [1], raw: new Uint8Array(4) })),
      'no outputs',
    ],
  ])('%s', async (_, name, content, words) => {
    const path = await folder.write(join('bad', name), content)
    const answer = await register(hearth, { path })
    expect(answer).toMatchObject({ __typename: 'InvalidInputError', fields: [{ path: 'path' }] })
    expect(answer.fields?.[0]?.message).toContain(words)
  })

  test('weights that are too short for their graph', async () => {
    await folder.write('short/graph.onnx', addingModelBeside('w.bin', 2, 8))
    await folder.write('short/w.bin', float32Bytes(1, 2, 3))
    const { fields } = await register(hearth, { path: 'short/graph.onnx' })
    expect(fields?.[0]?.message).toContain('w.bin has 12 bytes; graph.onnx reads up to byte 16')
  })

  test('a folder without a model, with several, or with a manifest that is wrong', async () => {
    await mkdir(join(folder.path, 'empty'))
    expect((await register(hearth, { path: 'empty' })).fields?.[0]?.message).toContain('holds no model')
    await folder.write('two/a.onnx', addingModel(1))
    await folder.write('two/b.onnx', addingModel(2))
    expect((await register(hearth, { path: 'two' })).fields?.[0]?.message).toContain('give one of them')
    await folder.write('half/model.json', '{"name": "half"}')
    expect((await register(hearth, { path: 'half' })).fields?.[0]?.message).toContain('components')
    await folder.write('unlisted/graph.onnx', addingModelBeside('w.bin'))
    await folder.write('unlisted/w.bin', float32Bytes(1, 2))
    await folder.write('unlisted/model.json', JSON.stringify(unlisted()))
    expect((await register(hearth, { path: 'unlisted' })).fields?.[0]?.message).toContain('w.bin, which the manifest')
  })

  test('a folder whose files are not those of its manifest', async () => {
    await folder.write('damaged/weights.bin', 'other numbers')
    const manifest = manifestOf('damaged', { 'weights.bin': 'their numbers' })
    await folder.write('damaged/model.json', JSON.stringify(manifest))
    expect((await register(hearth, { path: 'damaged' })).fields?.[0]?.message).toContain('the manifest says')
    expect(await currentVersion(hearth, 'damaged')).toBeNull()
  })

  test('a name that is none, a task that the model does not do, a digest that is none', async () => {
    const path = await folder.write('wrong/wrong.onnx', addingModel(1))
    for (const name of ['Wrong', '', '-a', 'a b', 'x'.repeat(65)])
      expect(await register(hearth, { path, name })).toMatchObject({ fields: [{ path: 'name' }] })
    const task = await register(hearth, { path, task: 'classifyImage' })
    expect(task).toMatchObject({ fields: [{ path: 'task' }] })
    expect(task.fields?.[0]?.message).toContain('does infer, not classifyImage')
    for (const none of ['', 'x'.repeat(65)])
      expect(await register(hearth, { path, task: none })).toMatchObject({
        fields: [{ path: 'task', message: expect.stringContaining('leave it out') as string }],
      })
    expect(await register(hearth, { path: 'x'.repeat(4097) })).toMatchObject({
      fields: [{ path: 'path', message: 'has 4097 characters; a path has at most 4096.' }],
    })
    expect(await register(hearth, { path, expectedSha256: 'abc' })).toMatchObject({
      fields: [{ path: 'expectedSha256' }],
    })
    expect(await currentVersion(hearth, 'wrong')).toBeNull()
  })

  test('a content that is not the expected one', async () => {
    const content = addingModel(3)
    const path = await folder.write('expected/expected.onnx', content)
    const wrong = await register(hearth, { path, expectedSha256: '0'.repeat(64) })
    expect(wrong).toMatchObject({ __typename: 'InvalidInputError', fields: [{ path: 'expectedSha256' }] })
    expect(wrong.fields?.[0]?.message).toContain(sha256(content))
    expect(await currentVersion(hearth, 'expected')).toBeNull()
    expect((await registered(hearth, { path, expectedSha256: sha256(content) })).state).toBe('READY')
  })

  test('a name that another model has, until that one is gone', async () => {
    const first = await folder.write('taken/first.onnx', addingModel(1))
    const second = await folder.write('taken/second.onnx', addingModel(2))
    await registered(hearth, { path: first, name: 'taken' })
    const answer = await register(hearth, { path: second, name: 'taken' })
    expect(answer).toMatchObject({ __typename: 'ConflictError', message: expect.stringContaining(first) as string })
    expect(await register(hearth, { path: second, name: 'noop' })).toMatchObject({ __typename: 'ConflictError' })
    await rm(first)
    await until('it is gone', async () => (await currentVersion(hearth, 'taken'))?.state === 'REMOVED')
    expect((await registered(hearth, { path: second, name: 'taken' })).state).toBe('READY')
  })

  function unlisted(): object {
    const { components, ...rest } = manifestOf('unlisted', { 'graph.onnx': addingModelBeside('w.bin') })
    const asGraph = components.map((each) => ({
      ...each,
      files: each.files.map((file) => ({ ...file, role: 'graph' })),
    }))
    return { ...rest, components: asGraph }
  }
})

test('as many models as the limit allows, and no more', async () => {
  await using own = await ModelFolder.make()
  const small = await startHearth({ environment: { HEARTH_MODEL_PATHS: own.path, HEARTH_MODEL_LIMIT: '1' } })
  await own.write('a.onnx', addingModel(1))
  await own.write('b.onnx', addingModel(2))
  expect((await registered(small, { path: 'a.onnx' })).state).toBe('READY')
  expect(await register(small, { path: 'b.onnx' })).toMatchObject({ __typename: 'OverloadedError', limit: 'models' })
  expect((await registered(small, { path: 'a.onnx' })).state).toBe('READY')
  await small.stop()
})

describe('over a restart', () => {
  test('registrations stand, and what is missing comes back when its file does', async () => {
    await using own = await ModelFolder.make()
    await using data = await ModelFolder.make()
    const environment = { HEARTH_MODEL_PATHS: own.path, HEARTH_MODEL_CHECK_MS: '50' }
    const kept = await own.write('files/kept.onnx', addingModel(1))
    const moved = await own.write('files/moved.onnx', addingModel(2))
    const first = await startHearth({ environment, dataDir: data.path })
    const before = await registered(first, { path: kept, name: 'kept-name' })
    const other = await registered(first, { path: moved })
    await first.kill()

    await rename(moved, `${moved}.away`)
    const second = await startHearth({ environment, dataDir: data.path })
    expect(await currentVersion(second, 'kept-name')).toMatchObject({ id: before.id, state: 'READY' })
    expect(await currentVersion(second, 'moved')).toBeNull()
    expect(await versionById(second, other.id)).toMatchObject({
      state: 'REMOVED',
      inputs: other.inputs,
      sha256: other.sha256,
    })
    await rename(`${moved}.away`, moved)
    const back = await until('it is back', () => currentVersion(second, 'moved'))
    expect(back).toMatchObject({ id: other.id, state: 'READY' })
    await second.stop()
  })
})

describe('a file that takes long to read', () => {
  /** Zeros that need no disk, with an ONNX graph at the front that passes over them. */
  const bytes = 1_200_000_000

  test('is VERIFYING meanwhile, with its progress, and cannot be used before it is READY', async () => {
    await using own = await ModelFolder.make()
    const environment = { HEARTH_MODEL_PATHS: own.path, HEARTH_REGISTER_WAIT_MS: '0' }
    const slow = await startHearth({ environment })
    await own.write('large/large.onnx', addingModelBeside('large.bin'))
    await sparse(join(own.path, 'large/large.bin'))
    const version = await registered(slow, { path: 'large/large.onnx' })
    expect(version).toMatchObject({
      state: 'VERIFYING',
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 2] }],
    })
    const refused = await trySubmit(slow, { ...noop(), model: 'large' })
    expect(refused.__typename).toMatch(/ConflictError|InvalidInputError/)
    const load = `mutation { loadModel(input: { model: "large" }) { __typename ... on Error { message } } }`
    const { loadModel } = await slow.ask<{ loadModel: { message: string } }>(load)
    expect(loadModel.message).toMatch(/being verified: \d+ MiB of \d+ MiB/)
    await until('some of it is read', async () => ((await versionById(slow, version.id))?.verifiedBytes ?? 0) > 0)
    const again = await register(slow, { path: 'large/large.onnx' })
    expect(again).toMatchObject({
      __typename: 'ConflictError',
      message: expect.stringContaining('being read') as string,
    })
    const ready = await until(
      'it is ready',
      async () => {
        const current = await currentVersion(slow, 'large')
        return current?.state === 'READY' && current
      },
      50_000,
    )
    expect(ready).toMatchObject({ verifiedBytes: null, id: version.id })
    expect(ready.sha256).not.toBe(version.sha256)
    await slow.stop()
  }, 60_000)

  test('and is not the expected one is REFUSED, and gone after a restart', async () => {
    await using own = await ModelFolder.make()
    await using data = await ModelFolder.make()
    const environment = { HEARTH_MODEL_PATHS: own.path, HEARTH_REGISTER_WAIT_MS: '0' }
    const slow = await startHearth({ environment, dataDir: data.path })
    await own.write('large/large.onnx', addingModelBeside('large.bin'))
    await sparse(join(own.path, 'large/large.bin'), 400_000_000)
    const version = await registered(slow, { path: 'large/large.onnx', expectedSha256: '0'.repeat(64) })
    expect(version.state).toBe('VERIFYING')
    const refused = await until('it is refused', async () => {
      const now = await versionById(slow, version.id)
      return now?.state === 'REFUSED' && now
    })
    expect(refused.problem).toContain('expected was 0000')
    await slow.stop()
    const next = await startHearth({ environment, dataDir: data.path })
    expect(await currentVersion(next, 'large')).toBeNull()
    await next.stop()
  }, 60_000)

  async function sparse(path: string, sizeBytes = bytes): Promise<void> {
    await mkdir(dirname(path), { recursive: true })
    await using file = await open(path, 'w')
    await file.truncate(sizeBytes)
  }
})
