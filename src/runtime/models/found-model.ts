/** A model whose files have been read: what it is, and whether it may run. */
import { join } from 'node:path'
import type { VersionSpec } from '../../scheduler/events.ts'
import type { VersionId } from '../../scheduler/ids.ts'
import type { DigestCache, OnBytes } from './digest-cache.ts'
import type { FileIdentity } from './file-identity.ts'
import type { InspectedComponent, InspectedFile } from './inspect-files.ts'
import type { Manifest } from './manifest.ts'
import type { ModelSource } from './model-source.ts'
import type { Signature } from './signature.ts'
import { type VerifiedComponent, verifyComponents } from './verify-files.ts'
import { componentDigest, provisionalDigest, versionDigest } from './version-digest.ts'
import { versionSpec } from './version-spec.ts'

export interface FoundModel {
  readonly manifest: Manifest
  /** Absolute, without symbolic links. */
  readonly directory: string
  /** REFUSED: listed, never run. VERIFYING: its files are still being read. */
  readonly state: 'READY' | 'REFUSED' | 'VERIFYING'
  /** Why it is refused, for people; null when it is not. */
  readonly problem: string | null
  /** Of the version: 64 hex digits over manifest and files. Of one that is VERIFYING it only stands for that. */
  readonly sha256: string
  readonly weightsBytes: number
  readonly workingBytes: number
  readonly components: readonly FoundComponent[]
  /** Null where no header gives one: other formats than ONNX, several graphs. */
  readonly signature: Signature | null
  /** What the headers say, by component. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** What its components are made of, as it was read; none of a file that could not be. */
  readonly files: readonly FoundFile[]
  /** Null: the manifest was made from the file's own header. */
  readonly manifestFile: { readonly path: string; readonly identity: FileIdentity } | null
  toVersionSpec(versionId: VersionId): VersionSpec
}

export interface FoundComponent {
  readonly name: string
  readonly format: string
  readonly sizeBytes: number
  readonly sha256: string
  readonly dependsOn: readonly string[]
}

export interface FoundFile extends FileIdentity {
  /** Absolute. */
  readonly path: string
  /** Null when it was not read. */
  readonly sha256: string | null
}

/** Reads every file that the cache does not know. */
export async function verifySource(source: ModelSource, digests: DigestCache, onBytes?: OnBytes): Promise<FoundModel> {
  const { manifest, directory, manifestFile } = source
  const expected = manifestFile === null ? null : manifest
  const components = await verifyComponents(source.components, expected, directory, digests, onBytes)
  const problems = [...source.problems, ...newProblems(components, source)]
  const stated = manifestFile === null ? withDigests(manifest, components) : manifest
  return {
    ...whatHeadersSay(source, stated, components),
    state: problems.length === 0 ? 'READY' : 'REFUSED',
    problem: problems.length === 0 ? null : problems.join(' '),
    sha256: versionDigest(stated, components),
    components: components.map((component) => describe(stated, component, componentDigest(component.files))),
  }
}

/** The model as far as its headers tell, before any file is read whole. */
export function unverified(source: ModelSource): FoundModel {
  const { manifest, components } = source
  const sha256 = provisionalDigest(manifest, components)
  const unread = components.map(({ name, files }) => ({
    name,
    files: files.map((file) => ({ ...file, sha256: null })),
  }))
  return {
    ...whatHeadersSay(source, manifest, unread),
    state: 'VERIFYING',
    problem: null,
    sha256,
    components: components.map((component) => describe(manifest, component, sha256)),
  }
}

/** Bytes that `verifySource` would have to read, and all there are. */
export function bytesToRead(source: ModelSource, digests: DigestCache): { unreadBytes: number; totalBytes: number } {
  let unreadBytes = 0
  let totalBytes = 0
  for (const { path, identity, problem } of source.components.flatMap(({ files }) => files)) {
    if (identity === null || problem !== null) continue
    totalBytes += identity.sizeBytes
    if (!digests.knows(join(source.directory, path), identity)) unreadBytes += identity.sizeBytes
  }
  return { unreadBytes, totalBytes }
}

function whatHeadersSay(
  { directory, header, memory, manifestFile }: ModelSource,
  manifest: Manifest,
  components: readonly VerifiedComponent[],
): Omit<FoundModel, 'state' | 'problem' | 'sha256' | 'components'> {
  return {
    manifest,
    directory,
    ...memory,
    signature: header.signature,
    metadata: header.metadata,
    files: components
      .flatMap(({ files }) => files)
      .flatMap(({ path, identity, sha256 }) =>
        identity === null ? [] : [{ ...identity, path: join(directory, path), sha256 }],
      ),
    manifestFile,
    toVersionSpec: (versionId) => versionSpec(versionId, manifest, memory),
  }
}

/** What was found only by reading. */
function newProblems(components: readonly VerifiedComponent[], source: ModelSource): string[] {
  const known = new Set(source.problems)
  return components
    .flatMap(({ files }) => files)
    .flatMap(({ problem }) => (problem === null || known.has(problem) ? [] : problem))
}

function withDigests(manifest: Manifest, components: readonly VerifiedComponent[]): Manifest {
  return {
    ...manifest,
    components: manifest.components.map((component, place) => ({
      ...component,
      files: component.files.map((file, index) => ({
        ...file,
        sha256: components[place]?.files[index]?.sha256 ?? file.sha256,
      })),
    })),
  }
}

function describe(manifest: Manifest, { name, files }: InspectedComponent, sha256: string): FoundComponent {
  const declared = manifest.components.find((component) => component.name === name)
  return {
    name,
    format: declared?.format ?? '',
    sizeBytes: files.reduce((sum: number, file: InspectedFile) => sum + file.sizeBytes, 0),
    sha256,
    dependsOn: declared?.dependsOn ?? [],
  }
}
