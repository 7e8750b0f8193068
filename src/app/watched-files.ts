/** The files of a model as somebody last saw them, and whether they are still those. */
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type FileIdentity, identityOf, sameIdentity } from '../runtime/models/file-identity.ts'
import type { FoundModel } from '../runtime/models/found-model.ts'
import { manifestName } from '../runtime/models/manifest-file.ts'

/** By absolute path; null = nothing was there. */
export type SeenFiles = ReadonlyMap<string, FileIdentity | null>

export async function seeFiles(paths: Iterable<string>): Promise<SeenFiles> {
  const seen = [...new Set(paths)].map(async (path): Promise<[string, FileIdentity | null]> => {
    try {
      return [path, identityOf(await stat(path, { bigint: true }))]
    } catch {
      // Whatever keeps it from being read, it cannot be loaded.
      return [path, null]
    }
  })
  return new Map(await Promise.all(seen))
}

/** Everything that the model at `path` is made of. `path` itself is followed, so that a link that leads elsewhere from now on is noticed. */
export function pathsOf(path: string, found: FoundModel | null): string[] {
  if (found === null) return [path, join(path, manifestName)]
  const { manifest, manifestFile, directory } = found
  const files = manifest.components.flatMap(({ files: parts }) => parts.map((part) => join(directory, part.path)))
  if (manifestFile === null) return [...(dirname(path) === directory ? [path] : []), ...files]
  return [manifestFile.path, join(path, manifestName), ...files]
}

export function sameFiles(one: SeenFiles, other: SeenFiles): boolean {
  if (one.size !== other.size) return false
  for (const [path, identity] of one) if (!sameOrGone(identity, other.get(path) ?? null)) return false
  return true
}

/** What was read of the model is what lies there now. */
export function areAsRead(found: FoundModel, seen: SeenFiles): boolean {
  const read = new Map<string, FileIdentity>(found.files.map((file) => [file.path, file]))
  if (found.manifestFile) read.set(found.manifestFile.path, found.manifestFile.identity)
  const component = found.manifest.components.flatMap(({ files }) =>
    files.map(({ path }) => join(found.directory, path)),
  )
  const paths = [...component, ...(found.manifestFile ? [found.manifestFile.path] : [])]
  return paths.every((path) => sameOrGone(read.get(path) ?? null, seen.get(path) ?? null))
}

function sameOrGone(one: FileIdentity | null, other: FileIdentity | null): boolean {
  return one === null || other === null ? one === other : sameIdentity(one, other)
}
