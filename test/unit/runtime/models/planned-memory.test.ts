import { expect, test } from 'vitest'
import { planMemory } from '../../../../src/runtime/models/planned-memory.ts'
import { versionSpec } from '../../../../src/runtime/models/version-spec.ts'
import type { VersionId } from '../../../../src/scheduler/ids.ts'
import { component, pictureModel, upscalerModel } from '../../../support/picture-models.ts'

const mib = 1024 * 1024
const others = { upscale: { factors: [2] }, safety: { label: 'nsfw' } }
const nowhere = '/no/such/folder'

async function workingBytes(changes: object): Promise<number> {
  return (await planMemory(pictureModel(changes), nowhere)).workingBytes
}

test('weights are those of each component, in the order of the manifest, and together', async () => {
  const tokenizer = { path: 'tokenizer.json', sha256: '0'.repeat(64), sizeBytes: 7, role: 'tokenizer' }
  const components = [component('small', 10), component('large', 1000)].map((one) => ({
    ...one,
    files: [...(one as { files: object[] }).files, tokenizer],
  }))
  const graph = [{ node: 'u', program: 'upscale_image', components: ['small', 'large'], after: [] }]
  const manifest = upscalerModel({ components, graph })
  const memory = await planMemory(manifest, nowhere)
  expect(memory).toMatchObject({ weightsBytes: 1010, componentBytes: [10, 1000] })
  expect(versionSpec(1 as VersionId, manifest, memory)).toMatchObject({
    componentBytes: [10, 1000],
    componentNames: ['small', 'large'],
  })
})

test('a model that makes pictures is planned by the largest of them, and by how many share a step', async () => {
  const sizesOf = (side: number) => ({
    options: {
      sizes: [
        { width: 64, height: 64 },
        { width: side, height: side },
      ],
      ...others,
    },
  })
  const small = await workingBytes(sizesOf(64))
  const large = await workingBytes(sizesOf(1024))
  expect(small).toBeGreaterThan(6 * 8 * mib)
  expect(small).toBeLessThan(128 * mib)
  // Eight pictures of 1024 x 1024, each with three feature maps of 128 float32 a pixel.
  expect(large - small).toBe(8 * 1536 * (1024 ** 2 - 64 ** 2))
  expect(await workingBytes({ ...sizesOf(1024), limits: { batchLimit: 1 } })).toBe(
    small - 8 * 1536 * 64 ** 2 + 1536 * 1024 ** 2,
  )
})

test('what the manifest says counts, and nothing is planned beyond what any machine has', async () => {
  expect(await workingBytes({ options: { workingBytes: 5, sizes: [{ width: 64, height: 64 }], ...others } })).toBe(5)
  const huge = {
    options: {
      sizes: [
        { width: 8192, height: 8192 },
        { width: 64, height: 64 },
      ],
      ...others,
    },
  }
  expect(await workingBytes({ ...huge, limits: { batchLimit: 1000 } })).toBeLessThanOrEqual(2 ** 40)
})
