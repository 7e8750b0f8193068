/** The starter image model as it is, and the same one whose pictures share no step. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BatchLimits } from './picture-costs.ts'

export const model = 'ember'
/** Steps of one state: one picture after the other. */
export const modelAlone = 'ember-alone'
const models = fileURLToPath(new URL('../../models', import.meta.url))

interface Manifest {
  readonly graph: readonly { readonly node: string; readonly batchLimit?: number }[]
  readonly limits: { readonly batchLimit?: number }
}

export async function batchLimits(): Promise<BatchLimits> {
  const { graph, limits } = await readManifest(join(models, model))
  const modelLimit = limits.batchLimit ?? 1
  return Object.fromEntries(graph.map(({ node, batchLimit = modelLimit }) => [node, Math.min(batchLimit, modelLimit)]))
}

/** What `HEARTH_MODEL_PATHS` has to be for both. The worker opens their components once, for they are equal. */
export async function bothModels(opened: AsyncDisposableStack): Promise<string> {
  const folder = opened.adopt(await mkdtemp(join(tmpdir(), 'hearth-bench-')), (made) =>
    rm(made, { recursive: true, force: true }),
  )
  const copy = join(folder, modelAlone)
  await cp(join(models, model), copy, { recursive: true })
  const manifest = await readManifest(copy)
  const graph = manifest.graph.map((node) => ({ ...node, batchLimit: 1 }))
  await writeFile(join(copy, 'model.json'), JSON.stringify({ ...manifest, name: modelAlone, graph }))
  return `${models},${folder}`
}

async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as Manifest
}
