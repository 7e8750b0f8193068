/** The starter models' manifests: complete, consistent, and accounted for in NOTICE. */
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readManifest } from '../../src/runtime/models/manifest.ts'
import { digestOfFile } from '../../src/setup/digest.mjs'
import { starterModels } from '../../src/setup/manifests.mjs'
import { fromRoot } from '../../src/setup/paths.mjs'

const notice = readFileSync(fromRoot('NOTICE'), 'utf8')
const models = starterModels()

test('every committed model folder holds a starter model', () => {
  const folders = committedFiles('models').flatMap((path) => /^models\/(.+)\/model\.json$/.exec(path)?.slice(1) ?? [])
  expect(models.map((model) => model.name)).toEqual(expect.arrayContaining(folders))
  expect(folders.length).toBeGreaterThan(0)
})

test.each(committedFiles('models').filter((path) => path.endsWith('/model.json')))('%s is a manifest', (path) => {
  expect(readManifest(readFileSync(fromRoot(path), 'utf8'))).not.toHaveProperty('problems')
})

describe.each(models)('$name', ({ name, files, source }) => {
  test('each file is there, with the size and digest of the manifest', async () => {
    for (const file of files) {
      expect(statSync(file.path).size).toBe(file.sizeBytes)
      expect(await digestOfFile(file.path)).toBe(file.sha256)
    }
  })

  test('each file is either committed or comes from a package, its own or that of an earlier model that has it too', () => {
    const committed = committedFiles(`models/${name}`)
    const earlier = models.slice(
      0,
      models.findIndex((model) => model.name === name),
    )
    for (const file of files) {
      const isCommitted = committed.includes(`models/${name}/${file.name}`)
      const isFetched = source.some(({ to }) => to === file.name)
      const isShared = earlier.some((model) => model.files.some(({ sha256 }) => sha256 === file.sha256))
      expect(isCommitted !== (isFetched || isShared), file.name).toBe(true)
    }
  })

  test('NOTICE names each file with its digest, and each package with its version', () => {
    for (const file of files) {
      expect(notice).toContain(`models/${name}/${file.name}`)
      expect(notice).toContain(file.sha256)
    }
    for (const taken of source) expect(notice).toContain(`${taken.package} ${taken.version}`)
  })
})

function committedFiles(folder: string) {
  return spawnSync('git', ['ls-files', folder], { cwd: fromRoot(), encoding: 'utf8' }).stdout.split('\n')
}
