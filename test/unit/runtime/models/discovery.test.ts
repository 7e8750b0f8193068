import { execFileSync } from 'node:child_process'
import { appendFileSync, utimesSync } from 'node:fs'
import { copyFile, mkdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DigestCache, FileChanged } from '../../../../src/runtime/models/digest-cache.ts'
import { type Discovery, discoverModels } from '../../../../src/runtime/models/discovery.ts'
import type { FoundModel } from '../../../../src/runtime/models/found-model.ts'
import type { VersionId } from '../../../../src/scheduler/ids.ts'
import { ModelFolders, manifestOf } from '../../../support/model-folder.ts'
import { addingModelBeside } from '../../../support/onnx-file.ts'

const files = { 'model.onnx': 'a graph', 'weights/numbers.bin': 'many numbers' }
let folders: ModelFolders

beforeEach(async () => {
  folders = await ModelFolders.make()
})
afterEach(() => folders[Symbol.asyncDispose]())

describe('a folder of models', () => {
  test('gives every folder directly below it that has a manifest, in order', async () => {
    await folders.add('beta', files)
    await folders.add('alpha', files)
    await mkdir(join(folders.models, 'empty'))
    await folders.add('alpha/nested', files)
    const { models, problems } = await discover()
    expect(models.map(({ manifest, state }) => [manifest.name, state])).toEqual([
      ['alpha', 'READY'],
      ['beta', 'READY'],
    ])
    expect(problems).toEqual([])
  })

  test('may itself be a model', async () => {
    const directory = await folders.add('alpha', files)
    expect((await discover([directory])).models).toHaveLength(1)
    expect((await discover([directory, folders.models])).models).toHaveLength(1)
  })

  test('that is missing is a problem, and the others are found', async () => {
    await folders.add('alpha', files)
    const { models, problems } = await discover([join(folders.root, 'nowhere'), folders.models])
    expect(models).toHaveLength(1)
    expect(problems).toEqual([expect.stringContaining('nowhere cannot be read')])
  })

  test('with a name twice gives the first, and says so', async () => {
    await folders.add('alpha', files)
    await folders.add('omega', files, { name: 'alpha' })
    const { models, problems } = await discover()
    expect(models.map(({ directory }) => directory)).toEqual([join(folders.models, 'alpha')])
    expect(problems).toEqual([expect.stringContaining('the name alpha is already taken')])
  })

  test('with a manifest that cannot be read says what is wrong with it', async () => {
    const directory = await folders.add('alpha', files)
    await writeFile(join(directory, 'model.json'), '{"name": "alpha"}')
    const { models, problems } = await discover()
    expect(models).toEqual([])
    expect(problems[0]).toContain('model.json is not valid')
  })

  test.each<[string, (path: string) => Promise<unknown> | void, string]>([
    ['is a folder', (path) => mkdir(path), 'is no file'],
    ['is a pipe', makePipe, 'is no file'],
    ['leads out', (path) => symlink('/etc/passwd', path), 'leads somewhere else'],
    ['leads to itself', (path) => symlink(path, path), 'model.json'],
    ['is larger than any manifest', (path) => writeFile(path, ' '.repeat(1024 * 1024 + 1)), 'at most 1048576'],
  ])('with a manifest that %s leaves that one out', async (_, make, words) => {
    await folders.add('alpha', files)
    await mkdir(join(folders.models, 'odd'))
    await make(join(folders.models, 'odd', 'model.json'))
    const { models, problems } = await discover()
    expect(models).toHaveLength(1)
    expect(problems).toEqual([expect.stringContaining(words)])
    expect(problems[0]).not.toContain('root:')
  })
})

test('a model says what the store and the scheduler want to know', async () => {
  await folders.add('alpha', files)
  const model = await discoverOne()
  expect(model).toMatchObject({
    state: 'READY',
    problem: null,
    directory: join(folders.models, 'alpha'),
    weightsBytes: 19,
    components: [
      {
        name: 'encoder',
        format: 'onnx',
        sizeBytes: 19,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        dependsOn: [],
      },
    ],
  })
  expect(model.toVersionSpec(7 as VersionId)).toEqual({
    versionId: 7,
    modelName: 'alpha',
    engine: 'onnx',
    weightsBytes: 19,
    workingBytes: 64 * 1024 * 1024,
    batchLimit: 8,
    holdMs: 0,
    interruptAfterMs: 5,
    componentBytes: [19],
    componentNames: ['encoder'],
  })
})

describe('a model is refused, with its reason, when', () => {
  test.each([
    ['a file is missing', (path: string) => rm(path), 'model.onnx is missing.'],
    [
      'a file is shorter than the manifest says',
      (path: string) => writeFile(path, 'a'),
      'model.onnx has 1 bytes; the manifest says 7.',
    ],
    ['a file has other content', (path: string) => writeFile(path, 'A GRAPH'), 'model.onnx has the digest'],
    [
      'a file is a folder',
      async (path: string) => {
        await rm(path)
        await mkdir(path)
      },
      'model.onnx is no file.',
    ],
    [
      'a file is a pickle in disguise',
      (path: string) => writeFile(path, Uint8Array.of(0x80, 4, 0x95, 0, 0, 0, 0)),
      'model.onnx is a pickle',
    ],
    [
      "a file is torch's archive of pickles",
      (path: string) => writeFile(path, 'PK\u0003\u0004          archive/data.pkl'),
      'model.onnx is a pickle',
    ],
  ])('%s', async (_, damage, problem) => {
    await damage(join(await folders.add('alpha', files), 'model.onnx'))
    const model = await discoverOne()
    expect(model.state).toBe('REFUSED')
    expect(model.problem).toContain(problem)
  })

  test('a link leads out of its folder', async () => {
    const directory = await folders.add('alpha', files)
    await rename(join(directory, 'model.onnx'), join(folders.root, 'elsewhere.onnx'))
    await symlink(join(folders.root, 'elsewhere.onnx'), join(directory, 'model.onnx'))
    expect(await discoverOne()).toMatchObject({
      state: 'REFUSED',
      problem: "model.onnx leads out of the model's own folder; put the file itself there.",
    })
  })

  test('a file is a pipe', async () => {
    const directory = await folders.add('alpha', files)
    await rm(join(directory, 'model.onnx'))
    makePipe(join(directory, 'model.onnx'))
    expect((await discoverOne()).problem).toBe('model.onnx is no file.')
  })

  test('a format that is not its own hides where its graph keeps weights', async () => {
    const content = { 'model.onnx': addingModelBeside('../secret.bin') }
    const { components } = manifestOf('alpha', content)
    const hidden = components.map((each) => ({
      ...each,
      format: 'other',
      files: each.files.map((file) => ({ ...file, role: 'graph' })),
    }))
    await folders.add('alpha', content, { components: hidden })
    expect(await discoverOne()).toMatchObject({
      state: 'REFUSED',
      problem: expect.stringContaining('only files beside or below the graph are read') as string,
    })
  })

  test('a pickle has an honest name', async () => {
    await folders.add('alpha', { 'pytorch_model.pth': 'anything' })
    expect((await discoverOne()).problem).toContain('is a pickle')
  })

  test('its graph is none, or its weights were cut', async () => {
    const content = { 'model.onnx': 'a graph', 'model.safetensors': 'many numbers' }
    const { components } = manifestOf('alpha', content)
    const asGraph = components.map((each) => ({
      ...each,
      files: each.files.map((file) => ({ ...file, role: file.path.endsWith('.onnx') ? 'graph' : 'weights' })),
    }))
    await folders.add('alpha', content, { components: asGraph })
    const { state, problem } = await discoverOne()
    expect(state).toBe('REFUSED')
    expect(problem).toContain('model.onnx cannot be used')
    expect(problem).toContain('model.safetensors cannot be used: it announces a header')
  })

  test('a GGUF file is none', async () => {
    const { components, ...rest } = manifestOf('alpha', { 'model.gguf': 'not a model' })
    await folders.add(
      'alpha',
      { 'model.gguf': 'not a model' },
      { ...rest, components: components.map((component) => ({ ...component, format: 'gguf' })) },
    )
    expect(await discoverOne()).toMatchObject({
      state: 'REFUSED',
      problem: 'model.gguf cannot be planned with: it does not begin with GGUF.',
    })
  })
})

describe('the digest of a version', () => {
  test('stays when folder, source and the order of fields change', async () => {
    await folders.add('alpha', files)
    const before = (await discoverOne()).sha256
    const manifest = manifestOf('alpha', files)
    await folders.writeManifest(join(folders.models, 'alpha'), {
      source: ['elsewhere'],
      ...Object.fromEntries(Object.entries(manifest).reverse()),
    })
    await rename(join(folders.models, 'alpha'), join(folders.models, 'moved'))
    expect((await discoverOne()).sha256).toBe(before)
  })

  test('changes with the manifest, with a file, and with damage', async () => {
    await folders.add('alpha', files)
    const digests = [(await discoverOne()).sha256]
    await folders.add('alpha', files, { limits: { batchLimit: 9 } })
    digests.push((await discoverOne()).sha256)
    await folders.add('alpha', { ...files, 'model.onnx': 'b graph' })
    digests.push((await discoverOne()).sha256)
    await rm(join(folders.models, 'alpha', 'model.onnx'))
    digests.push((await discoverOne()).sha256)
    expect(new Set(digests).size).toBe(4)
  })
})

describe('digests of files', () => {
  test('are remembered: an unchanged file is not read again', async () => {
    const directory = await folders.add('alpha', files)
    await discover()
    // A lie in the cache shows whether it is believed.
    await writeFile(
      folders.cachePath,
      (await readFile(folders.cachePath, 'utf8')).replace(/"sha256": "[0-9a-f]{64}"/, `"sha256": "${'0'.repeat(64)}"`),
    )
    expect((await discoverOne()).problem).toContain(`model.onnx has the digest ${'0'.repeat(64)}`)
    await utimes(join(directory, 'model.onnx'), new Date(), new Date(0))
    expect((await discoverOne()).state).toBe('READY')
  })

  test('are taken anew when a file is replaced by another of the same size and time', async () => {
    const directory = await folders.add('alpha', files)
    expect((await discoverOne()).state).toBe('READY')
    const path = join(directory, 'model.onnx')
    const { atime, mtime } = await stat(path)
    await writeFile(`${path}.new`, 'A graph')
    await utimes(`${path}.new`, atime, mtime)
    await rename(`${path}.new`, path)
    expect((await discoverOne()).state).toBe('REFUSED')
  })

  test('are not given of a file that changes while it is read', async () => {
    const path = join(await folders.add('alpha', { 'model.onnx': 'x'.repeat(1_000_000) }), 'model.onnx')
    const digests = await DigestCache.open(folders.cachePath)
    let isChanged = false
    const reading = digests.digest(path, () => {
      if (!isChanged) appendFileSync(path, 'y')
      isChanged = true
    })
    await expect(reading).rejects.toThrow(FileChanged)
    expect((await digests.digest(path)).identity.sizeBytes).toBe(1_000_001)
  })

  test('are not taken of a file that somebody keeps writing', async () => {
    const path = join(await folders.add('alpha', files), 'model.onnx')
    const digests = await DigestCache.open(folders.cachePath)
    const writing = setInterval(() => utimesSync(path, 1, 1), 1)
    await expect(digests.digest(path)).rejects.toThrow(FileChanged)
    clearInterval(writing)
    expect((await digests.digest(path)).sha256).toHaveLength(64)
  })

  test('do without a cache that is damaged', async () => {
    await folders.add('alpha', files)
    await writeFile(folders.cachePath, '{"format": 1, "files": {"')
    expect((await discoverOne()).state).toBe('READY')
    await copyFile(folders.cachePath, `${folders.cachePath}.kept`)
    expect(JSON.parse(await readFile(folders.cachePath, 'utf8'))).toHaveProperty('files')
  })

  test('of files that have left are forgotten', async () => {
    await folders.add('alpha', files)
    await folders.add('beta', files)
    await discover()
    await rm(join(folders.models, 'beta'), { recursive: true })
    await discover()
    const { files: kept } = JSON.parse(await readFile(folders.cachePath, 'utf8'))
    expect(Object.keys(kept).filter((path) => path.includes('beta'))).toEqual([])
  })
})

function makePipe(path: string): void {
  execFileSync('mkfifo', [path])
}

async function discover(paths: readonly string[] = [folders.models]): Promise<Discovery> {
  const digests = await DigestCache.open(folders.cachePath)
  const found = await discoverModels(paths, digests)
  await digests.save()
  return found
}

async function discoverOne(): Promise<FoundModel> {
  const { models, problems } = await discover()
  expect(problems).toEqual([])
  expect(models).toHaveLength(1)
  return models[0]!
}
