import { createHash } from 'node:crypto'
import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bringModels, modelsAreReady } from '../../../src/setup/starter-models.mjs'

const classifier = 'the weights of the classifier'
const upscaler = 'the graph of the upscaler'
const inPlace = 'all-minilm-l6-v2, open-nsfw, smollm2-135m-instruct, ember, ember-upscaler in place'

let root: string
let said: string[]
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hearth-starter-models-'))
  said = []
})
afterEach(() => rmSync(root, { recursive: true }))

const place = () => ({ folder: join(root, 'models'), record: join(root, 'record.json') })
const bring = () =>
  bringModels(place(), {
    row: { update: (status) => void said.push(status), done: (status) => void said.push(status) },
    lockFile: -1,
  })
const pathOf = (file: string) => join(root, 'models', file)
const contentOf = (file: string) => readFileSync(pathOf(file), 'utf8')
const inodeOf = (file: string) => statSync(pathOf(file)).ino

/** A model whose manifest lists these files, without the files themselves. */
function describeModel(name: string, files: Readonly<Record<string, string>>): void {
  const listed = Object.entries(files).map(([path, content]) => ({
    path,
    sha256: createHash('sha256').update(content).digest('hex'),
    sizeBytes: content.length,
  }))
  put(`${name}/model.json`, JSON.stringify({ name, components: [{ files: listed }], source: [] }))
}

function put(file: string, content: string): void {
  mkdirSync(dirname(pathOf(file)), { recursive: true })
  writeFileSync(pathOf(file), content)
}

/** As after a clone: models without files that need nothing, the classifier was brought, ember is committed but for it, and of its upscaler there is a manifest only. */
function clone(): void {
  for (const name of ['all-minilm-l6-v2', 'smollm2-135m-instruct']) describeModel(name, {})
  describeModel('open-nsfw', { 'open-nsfw.onnx': classifier })
  put('open-nsfw/open-nsfw.onnx', classifier)
  describeModel('ember', { 'upscaler.onnx': upscaler, 'open-nsfw.onnx': classifier })
  put('ember/upscaler.onnx', upscaler)
  describeModel('ember-upscaler', { 'upscaler.onnx': upscaler })
}

test('what another model has is linked to, and then there is nothing left to do', async () => {
  clone()
  expect(modelsAreReady(place())).toBe(false)
  await bring()
  expect(inodeOf('ember/open-nsfw.onnx')).toBe(inodeOf('open-nsfw/open-nsfw.onnx'))
  expect(inodeOf('ember-upscaler/upscaler.onnx')).toBe(inodeOf('ember/upscaler.onnx'))
  expect(modelsAreReady(place())).toBe(true)
  expect(said.some((status) => status.startsWith('open-nsfw.onnx: linking to an equal file'))).toBe(true)
  expect(said.at(-1)).toBe(inPlace)

  said = []
  await bring()
  expect(said).toEqual([inPlace])
})

test.for([
  ['missing', () => rmSync(pathOf('ember/model.json'))],
  ['damaged', () => put('ember/model.json', '{')],
] as const)('a manifest that is %s is asked for', async ([, spoil]) => {
  clone()
  await bring()
  spoil()
  const failure = {
    message: `${pathOf('ember/model.json')} is missing or damaged.`,
    advice: expect.stringContaining('git checkout'),
  }
  await expect(bring()).rejects.toMatchObject(failure)
  expect(() => modelsAreReady(place())).toThrow(failure.message)
})

test('a model that somebody has described anew is left to him', async () => {
  clone()
  put('ember-upscaler/model.json', JSON.stringify({ name: 'ember-upscaler', components: [] }))
  await bring()
  expect(said.at(-1)).toBe(inPlace.replace(', ember-upscaler', ''))
})

test('a link that is missing again is put back, without reading the other models anew', async () => {
  clone()
  await bring()
  rmSync(pathOf('ember/open-nsfw.onnx'))
  expect(modelsAreReady(place())).toBe(false)
  await bring()
  expect(contentOf('ember/open-nsfw.onnx')).toBe(classifier)
  expect(modelsAreReady(place())).toBe(true)
})

test('the one that was first comes back from the one that was linked', async () => {
  clone()
  await bring()
  rmSync(pathOf('open-nsfw/open-nsfw.onnx'))
  await bring()
  expect(inodeOf('open-nsfw/open-nsfw.onnx')).toBe(inodeOf('ember/open-nsfw.onnx'))
  expect(modelsAreReady(place())).toBe(true)
})

test('a damaged file of its own is replaced by a link, whatever is left of it elsewhere stays', async () => {
  clone()
  put('ember/open-nsfw.onnx', classifier.toUpperCase())
  linkSync(pathOf('ember/open-nsfw.onnx'), pathOf('somebodys-own.onnx'))
  await bring()
  expect(inodeOf('ember/open-nsfw.onnx')).toBe(inodeOf('open-nsfw/open-nsfw.onnx'))
  expect(contentOf('somebodys-own.onnx')).toBe(classifier.toUpperCase())
})

test('damage that linked names share is no source: the committed file is asked for', async () => {
  clone()
  await bring()
  writeFileSync(pathOf('ember-upscaler/upscaler.onnx'), upscaler.toUpperCase())
  await expect(bring()).rejects.toThrow(/ember\/upscaler\.onnx is missing or damaged/)
  expect(modelsAreReady(place())).toBe(false)

  // As git restores it: under a new inode.
  rmSync(pathOf('ember/upscaler.onnx'))
  put('ember/upscaler.onnx', upscaler)
  await bring()
  expect(contentOf('ember-upscaler/upscaler.onnx')).toBe(upscaler)
  expect(modelsAreReady(place())).toBe(true)
})

test('what an interrupted set-up left is taken away, and nothing is written through it', async () => {
  clone()
  put('another.onnx', 'of another model')
  linkSync(pathOf('another.onnx'), pathOf('ember/open-nsfw.onnx.linked'))
  await bring()
  expect(contentOf('ember/open-nsfw.onnx')).toBe(classifier)
  expect(contentOf('another.onnx')).toBe('of another model')
  expect(readdirSync(pathOf('ember')).toSorted()).toEqual(['model.json', 'open-nsfw.onnx', 'upscaler.onnx'])
})

test('a file that nobody has is named, with what to do', async () => {
  clone()
  rmSync(pathOf('ember/upscaler.onnx'))
  await expect(bring()).rejects.toMatchObject({
    message: `${pathOf('ember/upscaler.onnx')} is missing or damaged.`,
    advice: expect.stringContaining('git checkout'),
  })
})
