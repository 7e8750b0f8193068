/** The `model.json` of a folder, read as a person's input: whatever is wrong with it is told in words, and what lies elsewhere is not told at all. */
import { realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type FileIdentity, identityOf } from './file-identity.ts'
import { type Manifest, readManifest } from './manifest.ts'
import { openRegularFile } from './regular-file.ts'

export const manifestName = 'model.json'
const manifestBytesMax = 1024 * 1024

export interface ManifestFound {
  readonly manifest: Manifest
  readonly manifestFile: { readonly path: string; readonly identity: FileIdentity }
}

/** `directory`: absolute, without links. Null when it has none; a text says why the one that is there cannot be used. */
export async function readManifestFile(directory: string): Promise<ManifestFound | string | null> {
  const path = join(directory, manifestName)
  try {
    const stats = await stat(path, { bigint: true })
    if (!stats.isFile()) return `${path} is no file.`
    if ((await realpath(path)) !== path) return `${path} leads somewhere else; put the file itself there.`
    if (stats.size > manifestBytesMax)
      return `${path} has ${stats.size} bytes; a manifest has at most ${manifestBytesMax}.`
    const read = readManifest(await readStart(path))
    if ('problems' in read) return `${path} is not valid: ${read.problems.join('; ')}.`
    // Its identity was taken before it was read: one that changes meanwhile is another one the next time somebody looks.
    return { manifest: read.manifest, manifestFile: { path, identity: identityOf(stats) } }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    return `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`
  }
}

/** No more than a manifest may have, however it has grown since somebody looked. */
async function readStart(path: string): Promise<string> {
  await using file = await openRegularFile(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(manifestBytesMax), 0, manifestBytesMax, 0)
  return buffer.toString('utf8', 0, bytesRead)
}
