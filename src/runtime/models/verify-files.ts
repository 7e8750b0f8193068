/** Compares a model's files with what its manifest says of them. */
import { open, realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import type { DigestCache } from './digest-cache.ts'
import type { Manifest, ManifestFile } from './manifest.ts'

export interface VerifiedFile {
  readonly path: string
  readonly role: string | null
  readonly sizeBytes: number
  /** As measured; null when the file cannot be read. */
  readonly sha256: string | null
  /** Why it is refused; null = it is what the manifest says. */
  readonly problem: string | null
}

export interface VerifiedComponent {
  readonly name: string
  readonly files: readonly VerifiedFile[]
}

/** Never rejects for what is wrong with a file: that is the file's `problem`. */
export async function verifyComponents(
  manifest: Manifest,
  directory: string,
  digests: DigestCache,
): Promise<VerifiedComponent[]> {
  const root = await realpath(directory)
  const components: VerifiedComponent[] = []
  for (const { name, files } of manifest.components) {
    const verified: VerifiedFile[] = []
    // One after the other: files are large, and reading two at once from one disk is slower.
    for (const file of files) verified.push(await verifyFile(file, root, digests))
    components.push({ name, files: verified })
  }
  return components
}

async function verifyFile(file: ManifestFile, root: string, digests: DigestCache): Promise<VerifiedFile> {
  const path = join(root, file.path)
  const role = file.role ?? null
  const facts = { path: file.path, role, sizeBytes: file.sizeBytes, sha256: null }
  try {
    const stats = await stat(path)
    if (!stats.isFile()) return { ...facts, problem: `${file.path} is no file.` }
    if (!(await realpath(path)).startsWith(root + sep))
      return { ...facts, problem: `${file.path} leads out of the model folder.` }
    if (await isPickle(path))
      return {
        ...facts,
        problem: `${file.path} is a pickle, which can run code when it is opened; convert it to safetensors, GGUF or ONNX.`,
      }
    if (stats.size !== file.sizeBytes)
      return {
        ...facts,
        sizeBytes: stats.size,
        problem: `${file.path} has ${stats.size} bytes; the manifest says ${file.sizeBytes}.`,
      }
    const sha256 = await digests.sha256(path)
    const problem =
      sha256 === file.sha256 ? null : `${file.path} has the digest ${sha256}; the manifest says ${file.sha256}.`
    return { ...facts, sha256, problem }
  } catch (error) {
    return { ...facts, problem: inWords(file.path, error) }
  }
}

const pickleExtensions = new Set(['.pkl', '.pickle', '.pt', '.pth', '.ckpt'])
const headBytes = 512

/** By its name, or by how it begins: a bare pickle stream, or torch's archive around one. */
async function isPickle(path: string): Promise<boolean> {
  if (pickleExtensions.has(extname(path).toLowerCase())) return true
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
  const head = buffer.subarray(0, bytesRead)
  const isPickleStream = head[0] === 0x80 && head[1] !== undefined && head[1] >= 2 && head[1] <= 5
  return isPickleStream || (head.toString('latin1', 0, 4) === 'PK\u0003\u0004' && head.includes('data.pkl'))
}

function inWords(path: string, error: unknown): string {
  const isMissing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
  return isMissing
    ? `${path} is missing.`
    : `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`
}
