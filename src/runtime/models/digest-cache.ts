/**
 * SHA-256 of large files, computed once: a JSON file in the data folder remembers each digest with the identity of the file that it was read from.
 * A file whose identity has changed is read again. The cache may be deleted or damaged at any time; it is only ever a saving.
 */
import { createHash } from 'node:crypto'
import { open, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { type FileIdentity, identityOf, sameIdentity } from './file-identity.ts'

const entry = z.object({
  device: z.string(),
  inode: z.string(),
  sizeBytes: z.number(),
  modifiedNs: z.string(),
  changedNs: z.string(),
  sha256: z.string(),
})
const cacheFile = z.object({ format: z.literal(1), files: z.record(z.string(), entry) })
type Entry = z.infer<typeof entry>

const readBytes = 1024 * 1024

export class DigestCache {
  readonly #path: string
  readonly #known: ReadonlyMap<string, Entry>
  /** Those asked for in this run; others have left the model folders and are forgotten. */
  readonly #used = new Map<string, Entry>()
  #isChanged = false

  private constructor(path: string, known: ReadonlyMap<string, Entry>) {
    this.#path = path
    this.#known = known
  }

  /** `path`: where it is kept, e.g. `data/file-digests.json`. */
  static async open(path: string): Promise<DigestCache> {
    return new DigestCache(path, await readKnown(path))
  }

  /** Lower-case hex digest of the content. Throws when the file cannot be read, or changes while it is. */
  async sha256(path: string): Promise<string> {
    const before = identityOf(await stat(path, { bigint: true }))
    const known = this.#used.get(path) ?? this.#known.get(path)
    if (known && sameIdentity(known, before)) {
      this.#used.set(path, known)
      return known.sha256
    }
    const sha256 = await hashFile(path)
    if (!sameIdentity(before, identityOf(await stat(path, { bigint: true }))))
      throw new Error('it changed while it was read')
    this.#used.set(path, { ...before, sha256 } satisfies FileIdentity & Entry)
    this.#isChanged = true
    return sha256
  }

  /** Keeps what was learnt, if anything was. */
  async save(): Promise<void> {
    if (!this.#isChanged && this.#used.size === this.#known.size) return
    const temporary = `${this.#path}.new`
    await writeFile(temporary, `${JSON.stringify({ format: 1, files: Object.fromEntries(this.#used) }, null, 2)}\n`)
    await rename(temporary, this.#path)
  }
}

async function readKnown(path: string): Promise<Map<string, Entry>> {
  try {
    return new Map(Object.entries(cacheFile.parse(JSON.parse(await readFile(path, 'utf8'))).files))
  } catch {
    // Missing, damaged, or of another format: the digests are computed anew.
    return new Map()
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(readBytes)
  await using file = await open(path, 'r')
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, readBytes, null)
    if (bytesRead === 0) return hash.digest('hex')
    hash.update(buffer.subarray(0, bytesRead))
  }
}
