/** A server with two declared devices of one core each, and more models than their budgets hold: those of the starter set, and copies under other names. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MeasuredServer } from '../harness/server.ts'

const mib = 1024 * 1024
const starterModels = fileURLToPath(new URL('../../models', import.meta.url))
const benchModels = fileURLToPath(new URL('../models', import.meta.url))

/** Of each device: two or three of the models beside the processes that run them. */
const budgetBytes = 768 * mib

const copies = [
  { of: 'all-minilm-l6-v2', names: ['minilm-a', 'minilm-b', 'minilm-c'] },
  { of: 'ember', names: ['ember-a', 'ember-b'] },
] as const

export const encoders = ['all-minilm-l6-v2', 'minilm-a', 'minilm-b', 'minilm-c']
export const painters = ['ember', 'ember-a', 'ember-b']
export const writer = 'smollm2-135m-instruct'

export class SmallDevices implements AsyncDisposable {
  readonly server: MeasuredServer
  readonly #folder: string

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<SmallDevices> {
    const folder = await mkdtemp(join(tmpdir(), 'hearth-contention-'))
    const devices = [0, 1].map((core) => ({
      name: `cpu-${core}`,
      kind: 'cpu',
      cores: [core],
      memoryLimitBytes: budgetBytes,
    }))
    await writeFile(join(folder, 'devices.json'), JSON.stringify(devices))
    for (const { of, names } of copies) for (const name of names) await copyModel(folder, of, name)
    const server = await MeasuredServer.start({
      workerCore: 1,
      environment: {
        HEARTH_DEVICES: join(folder, 'devices.json'),
        HEARTH_MODEL_PATHS: [starterModels, benchModels, join(folder, 'models')].join(','),
        ...environment,
      },
    })
    return new SmallDevices(server, folder)
  }

  constructor(server: MeasuredServer, folder: string) {
    this.server = server
    this.#folder = folder
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** The same files under another name, and so another model. */
async function copyModel(folder: string, of: string, name: string): Promise<void> {
  const target = join(folder, 'models', name)
  await cp(join(starterModels, of), target, { recursive: true })
  const manifest = JSON.parse(await readFile(join(target, 'model.json'), 'utf8')) as { examplePrompts?: unknown }
  await writeFile(join(target, 'model.json'), JSON.stringify({ ...manifest, name, examplePrompts: [name] }))
}
