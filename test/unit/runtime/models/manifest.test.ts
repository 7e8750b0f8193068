import { describe, expect, test } from 'vitest'
import { readManifest } from '../../../../src/runtime/models/manifest.ts'
import { manifestOf } from '../../../support/model-folder.ts'

const good = manifestOf('tiny', { 'model.onnx': 'graph' })
const [component] = good.components
const [node] = good.graph

test('what is not said has a default, what is unknown is kept', () => {
  const read = readManifest(JSON.stringify({ ...good, limits: undefined, shoeSize: 43 }))
  expect(read).toMatchObject({
    manifest: { name: 'tiny', defaults: {}, options: {}, limits: {}, examplePrompts: [], shoeSize: 43 },
  })
})

describe('what is wrong is named by its place', () => {
  const files = (path: string) => ({ components: [{ ...component, files: [{ ...component!.files[0], path }] }] })
  test.each([
    ['a name that no URL could hold', { name: 'Tiny Model' }, 'name: must match'],
    [
      'a path that climbs',
      files('../secret'),
      'components.0.files.0.path: must be a relative path that stays inside the model folder',
    ],
    ['an absolute path', files('/etc/passwd'), 'components.0.files.0.path: must be a relative path'],
    ['a path with a Windows separator', files('a\\b'), 'components.0.files.0.path: must be a relative path'],
    [
      'a digest that is none',
      { components: [{ ...component, files: [{ path: 'a', sha256: 'ABC', sizeBytes: 1 }] }] },
      'components.0.files.0.sha256: must be 64',
    ],
    [
      'a pickle',
      { components: [{ ...component, format: 'pickle' }] },
      'components.0.format: pickle formats can run code',
    ],
    [
      'a component that is not there',
      { graph: [{ ...node, components: ['decoder'] }] },
      'graph.0.components.0: there is no component decoder',
    ],
    [
      'a dependency that is not there',
      { components: [{ ...component, dependsOn: ['vae'] }] },
      'components.0.dependsOn.0: there is no component vae',
    ],
    [
      'a circle',
      { graph: [{ ...node, after: ['embed'] }] },
      'graph: nodes wait for each other in a circle: embed -> embed',
    ],
    ['a component named twice', { components: [component, component] }, 'components.1.name: is used twice'],
    ['more components than any model has', { components: Array.from({ length: 65 }, () => component) }, 'components: '],
    [
      'more files than are read',
      { components: [{ ...component, files: Array.from({ length: 1025 }, () => component!.files[0]) }] },
      'components: have 1025 files; at most 1024 are read',
    ],
    [
      'more bytes than any file has',
      { components: [{ ...component, files: [{ ...component!.files[0], sizeBytes: 2 ** 41 }] }] },
      'components.0.files.0.sizeBytes',
    ],
    ['a wait without end', { limits: { holdMs: 1e300 } }, 'limits.holdMs'],
    ['more slots than an engine counts', { options: { slots: 2 ** 40 } }, 'options.slots'],
    ['a batch of nobody', { limits: { batchLimit: 0 } }, 'limits.batchLimit'],
    ['no graph', { graph: [] }, 'graph'],
    ['more nodes than any job has', { graph: Array.from({ length: 33 }, () => node) }, 'graph: '],
  ])('%s', (_, change, problem) => {
    const read = readManifest(JSON.stringify({ ...good, ...change }))
    expect('problems' in read && read.problems.join('\n')).toContain(problem)
  })

  test('all problems at once', () => {
    const read = readManifest(JSON.stringify({ ...good, name: '', engine: '!', graph: 7 }))
    expect('problems' in read && read.problems).toHaveLength(3)
  })

  test('text that is no JSON', () => {
    const read = readManifest('{')
    expect('problems' in read && read.problems[0]).toContain('it is not JSON')
  })
})
