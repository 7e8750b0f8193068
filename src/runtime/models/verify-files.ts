/** Reads a model's files whole, and compares their digests with what its manifest says. */
import { join } from 'node:path'
import { type DigestCache, FileChanged, type OnBytes } from './digest-cache.ts'
import { sameIdentity } from './file-identity.ts'
import { type InspectedComponent, type InspectedFile, unreadable } from './inspect-files.ts'
import type { Manifest } from './manifest.ts'

export interface VerifiedFile extends InspectedFile {
  /** As measured; null when the file cannot be read. */
  readonly sha256: string | null
}

export interface VerifiedComponent {
  readonly name: string
  readonly files: readonly VerifiedFile[]
}

/** `expected` null: there is nothing to compare with. Never rejects for what is wrong with a file: that is the file's `problem`. */
export async function verifyComponents(
  components: readonly InspectedComponent[],
  expected: Manifest | null,
  directory: string,
  digests: DigestCache,
  onBytes?: OnBytes,
): Promise<VerifiedComponent[]> {
  const verified: VerifiedComponent[] = []
  for (const [place, { name, files }] of components.entries()) {
    const ofComponent: VerifiedFile[] = []
    // One after the other: files are large, and reading two at once from one disk is slower.
    for (const [index, file] of files.entries()) {
      const digest = expected?.components[place]?.files[index]?.sha256 ?? null
      ofComponent.push(await verifyFile(file, digest, directory, digests, onBytes))
    }
    verified.push({ name, files: ofComponent })
  }
  return verified
}

async function verifyFile(
  file: InspectedFile,
  expected: string | null,
  directory: string,
  digests: DigestCache,
  onBytes?: OnBytes,
): Promise<VerifiedFile> {
  // What is refused already is not worth reading, and a link may lead to what must not be read.
  if (file.problem !== null || file.identity === null) return { ...file, sha256: null }
  try {
    const { sha256, identity } = await digests.digest(join(directory, file.path), onBytes)
    // Between the look at its header and the reading of its content the file was another one.
    if (!sameIdentity(identity, file.identity)) throw new FileChanged()
    const isExpected = expected === null || sha256 === expected
    const problem = isExpected ? null : `${file.path} has the digest ${sha256}; the manifest says ${expected}.`
    return { ...file, sha256, problem }
  } catch (error) {
    return { ...file, sha256: null, problem: unreadable(file.path, error) }
  }
}
