import { expect, test } from 'vitest'
import { Problems } from '../../../../src/app/validation/problems.ts'
import { normaliseProgram } from '../../../../src/app/validation/program.ts'
import type { Manifest } from '../../../../src/runtime/models/manifest.ts'
import type { ArtifactId } from '../../../../src/store/records.ts'
import { artifactRecord } from '../../../support/artifacts.ts'

const manifest = { graph: [{ program: 'noop' }] } as unknown as Manifest

function paths(parameters: unknown, name = 'noop'): string[] {
  const problems = new Problems('')
  normaliseProgram({ name, parameters }, manifest, new Map(), problems)
  return problems.found.map(({ path }) => path)
}

test('any JSON object within bounds is taken', () => {
  expect(paths({ value: [1, 'ü 🌈', null, { deep: true }] })).toEqual([])
})

test('a wrong name and parameters that are no object are told together', () => {
  expect(paths([1], 'other')).toEqual(['name', 'parameters'])
})

test('half of a surrogate pair is found wherever it hides', () => {
  expect(paths({ value: { deep: ['ok', '\ud800'] } })).toEqual(['parameters.value.deep.1'])
  expect(paths({ '\udc00': 1 })).toEqual(['parameters'])
})

test('parameters nested without end are refused, not followed', () => {
  let nested: unknown = 1
  for (let level = 0; level < 100_000; level += 1) nested = [nested]
  expect(paths({ nested })).toHaveLength(1)
})

test('parameters are bounded in size', () => {
  expect(paths({ value: 'x'.repeat(1024 * 1024) })).toEqual(['parameters'])
})

test('files are kept by their content, and one that is gone is named', () => {
  const record = artifactRecord({ id: 1 as ArtifactId, sizeBytes: 5, mimeType: 'text/plain' })
  const artifacts = new Map([[record.id, { record, npy: null }]])
  const problems = new Problems('')
  const request = normaliseProgram(
    { name: 'noop', parameters: {}, artifactIds: [record.id] },
    manifest,
    artifacts,
    problems,
  )
  expect(problems.found).toEqual([])
  expect(request).toEqual({
    name: 'noop',
    parameters: {},
    artifacts: [{ artifactId: 1, sha256: record.sha256, mimeType: 'text/plain', sizeBytes: 5 }],
  })
  normaliseProgram(
    { name: 'noop', parameters: {}, artifactIds: [record.id, 2 as never] },
    manifest,
    artifacts,
    problems,
  )
  expect(problems.found.map(({ path }) => path)).toEqual(['artifactIds.1'])
})
