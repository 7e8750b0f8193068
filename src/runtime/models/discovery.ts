/** Finds the models that can be asked for: folders with a `model.json`, checked against the files that lie in them. */
import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { VersionSpec } from '../../scheduler/events.ts'
import type { VersionId } from '../../scheduler/ids.ts'
import type { DigestCache } from './digest-cache.ts'
import { type Manifest, readManifest } from './manifest.ts'
import { type PlannedMemory, planMemory } from './planned-memory.ts'
import { type VerifiedComponent, verifyComponents } from './verify-files.ts'
import { componentDigest, versionDigest } from './version-digest.ts'
import { versionSpec } from './version-spec.ts'

export interface FoundModel {
  readonly manifest: Manifest
  /** Absolute, without symbolic links. */
  readonly directory: string
  /** REFUSED: listed, never run. */
  readonly state: 'READY' | 'REFUSED'
  /** Why it is refused, for people; null when it is ready. */
  readonly problem: string | null
  /** Of the version: 64 hex digits over manifest and files. */
  readonly sha256: string
  readonly weightsBytes: number
  readonly workingBytes: number
  readonly components: readonly FoundComponent[]
  toVersionSpec(versionId: VersionId): VersionSpec
}

export interface FoundComponent {
  readonly name: string
  readonly format: string
  readonly sizeBytes: number
  readonly sha256: string
  readonly dependsOn: readonly string[]
}

export interface Discovery {
  /** In the order of the paths, then by folder name; names are unique. */
  readonly models: readonly FoundModel[]
  /** Folders whose `model.json` says nothing that could be listed, one sentence each. */
  readonly problems: readonly string[]
}

const manifestName = 'model.json'

/** Looks at every given folder itself and directly below it. Folders that are missing are problems, not errors. Digests learnt are saved in the cache. */
export async function discoverModels(modelPaths: readonly string[], digests: DigestCache): Promise<Discovery> {
  const models = new Map<string, FoundModel>()
  const problems: string[] = []
  for (const directory of await candidateFolders(modelPaths, problems)) {
    const found = await readModelFolder(directory, digests)
    if (found === null) continue
    if ('unlistable' in found) {
      problems.push(found.unlistable)
      continue
    }
    const { name } = found.manifest
    const first = models.get(name)
    if (first) problems.push(`${directory} is left out: the name ${name} is already taken by ${first.directory}.`)
    else models.set(name, found)
  }
  await digests.save()
  return { models: [...models.values()], problems }
}

/** Absolute real paths, each once. */
async function candidateFolders(modelPaths: readonly string[], problems: string[]): Promise<Set<string>> {
  const folders = new Set<string>()
  for (const path of modelPaths) {
    try {
      const root = await realpath(path)
      folders.add(root)
      const entries = await readdir(root, { withFileTypes: true })
      const names = entries
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort()
      for (const name of names) folders.add(join(root, name))
    } catch (error) {
      problems.push(`The model folder ${path} cannot be read: ${messageOf(error)}.`)
    }
  }
  return folders
}

/** Null when the folder holds no model. */
export async function readModelFolder(
  directory: string,
  digests: DigestCache,
): Promise<FoundModel | { readonly unlistable: string } | null> {
  const text = await readManifestText(directory)
  if (text === null) return null
  const read = readManifest(text)
  if ('problems' in read)
    return { unlistable: `${join(directory, manifestName)} is not valid: ${read.problems.join('; ')}.` }
  const { manifest } = read
  const components = await verifyComponents(manifest, directory, digests)
  const problems = components.flatMap(({ files }) => files).flatMap(({ problem }) => problem ?? [])
  const memory = await plan(manifest, directory, problems)
  return {
    manifest,
    directory,
    state: problems.length === 0 ? 'READY' : 'REFUSED',
    problem: problems.length === 0 ? null : problems.join(' '),
    sha256: versionDigest(manifest, components),
    ...memory,
    components: components.map((component) => describe(manifest, component)),
    toVersionSpec: (versionId) => versionSpec(versionId, manifest, memory),
  }
}

async function readManifestText(directory: string): Promise<string | null> {
  try {
    return await readFile(join(directory, manifestName), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null
    throw error
  }
}

/** Adds to `problems` when the files do not say what is needed. */
async function plan(manifest: Manifest, directory: string, problems: string[]): Promise<PlannedMemory> {
  const declaredBytes = manifest.components.flatMap(({ files }) => files).reduce((sum, file) => sum + file.sizeBytes, 0)
  const unplanned = { weightsBytes: declaredBytes, workingBytes: 0 }
  if (problems.length > 0) return unplanned
  try {
    return await planMemory(manifest, directory)
  } catch (error) {
    problems.push(messageOf(error))
    return unplanned
  }
}

function describe(manifest: Manifest, { name, files }: VerifiedComponent): FoundComponent {
  const declared = manifest.components.find((component) => component.name === name)
  return {
    name,
    format: declared?.format ?? '',
    sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    sha256: componentDigest(files),
    dependsOn: declared?.dependsOn ?? [],
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
