import { expect, test } from 'vitest'
import type { Catalogue } from '../../../src/app/catalogue.ts'
import { versionIds } from '../../../src/app/version-ids.ts'
import type { Store } from '../../../src/store/store.ts'

const digest = (letter: string) => letter.repeat(64)
const catalogue = {
  resolve: (reference: string) => (reference === `bge@${'b'.repeat(12)}` ? { version: { id: 2 } } : null),
} as unknown as Catalogue
const store = {
  readModels: async ({ name }: { name: string }) => (name === 'bge' ? [{ id: 7 }] : []),
  readVersions: async () => [
    { id: 2, sha256: digest('b') },
    { id: 1, sha256: digest('a') },
  ],
} as unknown as Store

test.each([
  ['bge', [2, 1]],
  ['bge@bbbbbbbbbbbb', [2]],
  // Its files have been replaced, and only the store knows it.
  ['bge@aaaaaaaaaaaa', [1]],
  ['bge@cccccccccccc', null],
  ['smol', null],
])('%s means the versions %j', async (reference, ids) => {
  expect(await versionIds(catalogue, store, reference)).toEqual(ids)
})
