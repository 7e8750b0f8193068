/** Folders that a server may register models from, and the mutation that does it. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Hearth } from './hearth.ts'
import { errorFields, type MutationError } from './submissions.ts'

const benchModels = fileURLToPath(new URL('../../bench/models', import.meta.url))

export interface Port {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly (number | string | null)[] | null
}
export interface Version {
  readonly id: string
  readonly version: string
  readonly sha256: string
  readonly state: 'READY' | 'VERIFYING' | 'REFUSED' | 'REMOVED'
  readonly problem: string | null
  readonly verifiedBytes: number | null
  readonly sizeBytes: number
  readonly peakBytes: number
  readonly license: string | null
  readonly defaults: unknown
  readonly metadata: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly inputs: readonly Port[] | null
  readonly outputs: readonly Port[] | null
  readonly components: readonly { readonly name: string; readonly format: string; readonly sha256: string }[]
}
export interface Registration {
  readonly name?: string
  readonly path: string
  readonly task?: string
  readonly expectedSha256?: string
}
export type RegistrationAnswer = {
  readonly model?: { readonly id: string; readonly name: string; readonly task: string }
  readonly version?: Version
} & Partial<MutationError>

const versionFields = `id version sha256 state problem verifiedBytes sizeBytes peakBytes license defaults metadata
  inputs { name dtype shape } outputs { name dtype shape } components { name format sha256 }`

export async function register(hearth: Hearth, input: Registration): Promise<RegistrationAnswer> {
  const mutation = `mutation ($input: RegisterModelInput!) { registerModel(input: $input) {
    ... on RegisterModelSuccess { model { id name task } version { ${versionFields} } } ${errorFields} } }`
  return (await hearth.ask<{ registerModel: RegistrationAnswer }>(mutation, { input })).registerModel
}

/** As `register`, of what must succeed. */
export async function registered(hearth: Hearth, input: Registration): Promise<Version> {
  const { version, ...answer } = await register(hearth, input)
  if (!version) throw new Error(`Not registered: ${JSON.stringify(answer)}`)
  return version
}

/** What a bare name means now; null when it means nothing. */
export async function currentVersion(hearth: Hearth, name: string): Promise<Version | null> {
  const query = `query ($name: String!) { model(name: $name) { current { ${versionFields} } } }`
  const { model } = await hearth.ask<{ model: { current: Version } | null }>(query, { name })
  return model?.current ?? null
}

export async function versionById(hearth: Hearth, id: string): Promise<Version | null> {
  const query = `query ($id: ID!) { node(id: $id) { ... on ModelVersion { ${versionFields} } } }`
  return (await hearth.ask<{ node: Version | null }>(query, { id })).node
}

/** A folder of its own below the temporary directory, and the environment of a server that may register from it. */
export class ModelFolder implements AsyncDisposable {
  readonly path: string
  private constructor(path: string) {
    this.path = path
  }

  static async make(): Promise<ModelFolder> {
    return new ModelFolder(await realpath(await mkdtemp(join(tmpdir(), 'hearth-register-'))))
  }

  get environment(): Record<string, string> {
    return { HEARTH_MODEL_PATHS: `${benchModels},${this.path}` }
  }

  /** The absolute path of what was written. */
  async write(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(this.path, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
    return path
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}
