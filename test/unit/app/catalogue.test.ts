import { beforeEach, describe, expect, test } from 'vitest'
import { Catalogue, type CatalogueEntry } from '../../../src/app/catalogue.ts'
import type { Manifest } from '../../../src/runtime/models/manifest.ts'
import { versionSpec } from '../../../src/runtime/models/version-spec.ts'
import type { VersionId } from '../../../src/scheduler/ids.ts'
import type { ModelId, VersionRecord } from '../../../src/store/records.ts'

const manifest: Manifest = {
  name: 'alpha',
  task: 'infer',
  license: null,
  engine: 'onnx',
  components: [],
  graph: [],
  defaults: {},
  options: {},
  limits: {},
  examplePrompts: [],
  source: [],
}

/** Version `id` of the model alpha, whose digest is the id, twelve digits long and more. */
function entry(id: number, state: VersionRecord['state']): CatalogueEntry {
  const versionId = id as VersionId
  return {
    model: { id: 1 as ModelId, name: 'alpha', task: 'infer' },
    version: {
      id: versionId,
      modelId: 1 as ModelId,
      sha256: String(id).padStart(12, '0').padEnd(64, 'f'),
      state,
      license: null,
      manifest: '',
      directory: '/models/alpha',
      sizeBytes: 1,
      peakBytes: 1,
      registeredAt: 0,
    },
    components: [],
    manifest,
    spec:
      state === 'READY'
        ? versionSpec(versionId, manifest, { weightsBytes: 1, componentBytes: [1], workingBytes: 0 })
        : null,
    problem: null,
    signature: null,
    metadata: {},
    files: [],
    verified: { bytes: 0, totalBytes: 0 },
  }
}

let catalogue: Catalogue
beforeEach(() => {
  catalogue = new Catalogue()
})
const currentId = () => catalogue.resolve('alpha')?.version.id

describe('a bare name means', () => {
  test('the version that was added last', () => {
    catalogue.add(entry(1, 'READY'))
    catalogue.add(entry(2, 'READY'))
    expect(currentId()).toBe(2)
    expect(catalogue.model(1 as ModelId)?.version.id).toBe(2)
  })

  test.each(['VERIFYING', 'REFUSED'] as const)('what runs, while another is %s', (state) => {
    catalogue.add(entry(1, 'READY'))
    catalogue.add(entry(2, state))
    expect(currentId()).toBe(1)
    expect(catalogue.version(2 as VersionId)?.version.state).toBe(state)
  })

  test('what does not run, where nothing does', () => {
    catalogue.add(entry(1, 'VERIFYING'))
    expect(currentId()).toBe(1)
    catalogue.add(entry(2, 'REFUSED'))
    expect(currentId()).toBe(2)
  })

  test('a version of before, whose content has come back', () => {
    catalogue.add(entry(1, 'READY'))
    catalogue.add(entry(2, 'READY'))
    catalogue.update(entry(1, 'REMOVED'))
    expect(currentId()).toBe(2)
    catalogue.add(entry(1, 'READY'))
    expect(currentId()).toBe(1)
  })
})

test('what is known of a version changes wherever it is asked for', () => {
  catalogue.add(entry(1, 'READY'))
  catalogue.update(entry(1, 'REMOVED'))
  for (const found of [
    catalogue.resolve('alpha'),
    catalogue.version(1 as VersionId),
    catalogue.model(1 as ModelId),
    catalogue.current()[0],
  ])
    expect(found?.version.state).toBe('REMOVED')
})

test('several versions of a name are known at once, each by its digest', () => {
  catalogue.add(entry(1, 'READY'))
  catalogue.add(entry(2, 'READY'))
  expect(catalogue.resolve('alpha@000000000001')?.version.id).toBe(1)
  expect(catalogue.resolve('alpha@000000000002')?.version.id).toBe(2)
  expect(catalogue.resolve('alpha@000000000003')).toBeNull()
  expect(catalogue.resolve('beta')).toBeNull()
  expect(catalogue.ofModel(1 as ModelId).map(({ version }) => version.id)).toEqual([1, 2])
})

test('a version that is forgotten leaves its name to the others, and the last one takes it along', () => {
  catalogue.add(entry(1, 'VERIFYING'))
  catalogue.add(entry(2, 'READY'))
  catalogue.remove(2 as VersionId)
  expect(currentId()).toBe(1)
  catalogue.remove(1 as VersionId)
  catalogue.remove(1 as VersionId)
  expect(catalogue.names()).toEqual([])
  expect(catalogue.model(1 as ModelId)).toBeNull()
})
