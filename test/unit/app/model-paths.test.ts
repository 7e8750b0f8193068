import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { InvalidInput, NotFound } from '../../../src/app/errors.ts'
import { locateModel } from '../../../src/app/model-paths.ts'
import { ModelFolders } from '../../support/model-folder.ts'

let place: ModelFolders
let inside: string
beforeEach(async () => {
  place = await ModelFolders.make()
  inside = place.models
  await mkdir(inside)
  await mkdir(`${inside}-beside`)
  await writeFile(join(inside, 'a.onnx'), '')
  await writeFile(join(`${inside}-beside`, 'b.onnx'), '')
})
afterEach(() => place[Symbol.asyncDispose]())

test('a path below a model folder is taken as it was given', async () => {
  expect(await locateModel(join(inside, 'a.onnx'), [inside])).toBe(join(inside, 'a.onnx'))
  expect(await locateModel(inside, [inside])).toBe(inside)
  await symlink(join(inside, 'a.onnx'), join(inside, 'link.onnx'))
  expect(await locateModel(join(inside, 'link.onnx'), [inside])).toBe(join(inside, 'link.onnx'))
})

test('a relative path begins at the first model folder that has it', async () => {
  expect(await locateModel('a.onnx', [`${inside}-beside`, inside])).toBe(join(inside, 'a.onnx'))
  expect(await locateModel('b.onnx', [inside, `${inside}-beside`])).toBe(join(`${inside}-beside`, 'b.onnx'))
})

test('a model folder may itself be a link, or be missing', async () => {
  await symlink(inside, join(place.root, 'linked'))
  const folders = [join(place.root, 'nowhere'), join(place.root, 'linked')]
  expect(await locateModel('a.onnx', folders)).toBe(join(place.root, 'linked', 'a.onnx'))
  expect(await locateModel(join(inside, 'a.onnx'), folders)).toBe(join(inside, 'a.onnx'))
})

test('everything else is refused alike, with the folders that are allowed', async () => {
  await symlink(join(`${inside}-beside`, 'b.onnx'), join(inside, 'out.onnx'))
  await symlink('/etc', join(inside, 'etc'))
  for (const path of [
    '',
    'a\0b',
    '/etc/passwd',
    '/no/such/thing',
    '../models-beside/b.onnx',
    join(inside, '..'),
    join(`${inside}-beside`, 'b.onnx'),
    join(`${inside}-beside`, 'missing.onnx'),
    'out.onnx',
    'etc/passwd',
  ]) {
    const refused = await locateModel(path, [inside])
    expect(refused, path).toBeInstanceOf(InvalidInput)
    expect((refused as InvalidInput).fields[0]?.message).toContain(inside)
  }
})

test('what is missing inside is told as such', async () => {
  expect(await locateModel('missing.onnx', [inside])).toBeInstanceOf(NotFound)
  expect(await locateModel(join(inside, 'missing.onnx'), [inside])).toBeInstanceOf(NotFound)
})
