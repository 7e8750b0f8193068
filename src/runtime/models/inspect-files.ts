/** What can be said of a model's files without reading them whole: that they are there, inside their folder, as long as they should be, and no pickles. */

import { realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { type FileIdentity, identityOf } from './file-identity.ts'
import type { Manifest, ManifestFile } from './manifest.ts'
import { openRegularFile } from './regular-file.ts'

export interface InspectedFile {
  /** As the manifest gives it. */
  readonly path: string
  readonly role: string | null
  /** As measured; as the manifest says where the file cannot be read. */
  readonly sizeBytes: number
  /** Null when the file cannot be read. */
  readonly identity: FileIdentity | null
  /** Why it is refused; null = nothing speaks against it so far. */
  readonly problem: string | null
}

export interface InspectedComponent {
  readonly name: string
  readonly files: readonly InspectedFile[]
}

/** `directory` is absolute and has no links. Never rejects for what is wrong with a file: that is the file's `problem`. */
export async function inspectComponents(manifest: Manifest, directory: string): Promise<InspectedComponent[]> {
  const components: InspectedComponent[] = []
  for (const { name, files } of manifest.components) {
    const inspected: InspectedFile[] = []
    // One after the other: each is open for a moment, and there may be thousands.
    for (const file of files) inspected.push(await inspectFile(file, directory))
    components.push({ name, files: inspected })
  }
  return components
}

async function inspectFile(file: ManifestFile, directory: string): Promise<InspectedFile> {
  const path = join(directory, file.path)
  const facts = { path: file.path, role: file.role ?? null, sizeBytes: file.sizeBytes, identity: null }
  try {
    const stats = await stat(path, { bigint: true })
    const identity = identityOf(stats)
    if (!stats.isFile()) return { ...facts, problem: `${file.path} is no file.` }
    if (!(await realpath(path)).startsWith(directory === sep ? sep : directory + sep))
      return { ...facts, problem: `${file.path} leads out of the model's own folder; put the file itself there.` }
    if (await isPickle(path)) return { ...facts, identity, problem: pickleProblem(file.path) }
    if (identity.sizeBytes === file.sizeBytes) return { ...facts, identity, problem: null }
    return {
      ...facts,
      sizeBytes: identity.sizeBytes,
      identity,
      problem: `${file.path} has ${identity.sizeBytes} bytes; the manifest says ${file.sizeBytes}.`,
    }
  } catch (error) {
    return { ...facts, problem: unreadable(file.path, error) }
  }
}

export function pickleProblem(path: string): string {
  return `${path} is a pickle, which can run code when it is opened; convert it to safetensors, GGUF or ONNX.`
}

export function unreadable(path: string, error: unknown): string {
  const isMissing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
  return isMissing
    ? `${path} is missing.`
    : `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`
}

const pickleExtensions = new Set(['.pkl', '.pickle', '.pt', '.pth', '.ckpt', '.joblib'])
const headBytes = 512

export function hasPickleName(path: string): boolean {
  return pickleExtensions.has(extname(path).toLowerCase())
}

/** By its name, or by how it begins: a bare pickle stream, or torch's archive around one. */
export async function isPickle(path: string): Promise<boolean> {
  if (hasPickleName(path)) return true
  await using file = await openRegularFile(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
  const head = buffer.subarray(0, bytesRead)
  return isPickleStream(head) || (head.toString('latin1', 0, 4) === 'PK\u0003\u0004' && head.includes('data.pkl'))
}

/** The mark of protocols 2 to 5, then an operation. Numbers may look so too: lengths, as in safetensors, and raw weights. */
function isPickleStream(head: Buffer): boolean {
  const [mark, protocol = 0, operation = 0] = head
  return mark === 0x80 && protocol >= 2 && protocol <= 5 && operation >= firstOperation
}
const firstOperation = '('.charCodeAt(0)
