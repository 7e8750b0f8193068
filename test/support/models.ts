/** Model folders for tests: the no-op program under other limits, so that waiting can be seen without waiting long. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const starterModels = fileURLToPath(new URL('../../models', import.meta.url))
const benchModels = fileURLToPath(new URL('../../bench/models', import.meta.url))

export interface NoopModel {
  readonly name: string
  /** Jobs that may share a step. */
  readonly batchLimit: number
  readonly options?: Readonly<Record<string, unknown>>
}

/** The environment of a server that knows `models` besides the usual ones. The folder lies in the temporary directory. */
export async function withModels(...models: readonly NoopModel[]): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-models-'))
  for (const model of models) {
    await mkdir(join(folder, model.name))
    await writeFile(join(folder, model.name, 'model.json'), JSON.stringify(manifestOf(model)))
  }
  return { HEARTH_MODEL_PATHS: [starterModels, benchModels, folder].join(',') }
}

/** One job at a time, in order. */
export const serial: NoopModel = { name: 'serial', batchLimit: 1 }

function manifestOf({ name, batchLimit, options = {} }: NoopModel): object {
  return {
    name,
    task: 'program',
    license: 'Apache-2.0',
    engine: 'none',
    components: [],
    graph: [{ node: 'run', program: 'noop', components: [], after: [] }],
    defaults: {},
    options,
    limits: { batchLimit },
    examplePrompts: [],
    source: [],
  }
}
