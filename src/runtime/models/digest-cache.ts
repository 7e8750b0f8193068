/**
 * SHA-256 of large files, computed once: a JSON file in the data folder remembers each digest with the identity of the file that it was read from.
 * A file whose identity has changed is read again. The cache may be deleted or damaged at any time; it is only ever a saving.
 */

import { createHash } from 'node:crypto'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type FileIdentity, identityOf, sameIdentity } from './file-identity.ts'
import { openRegularFile } from './regular-file.ts'

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

export interface Digest {
  /** Lower-case hex. */
  readonly sha256: string
  /** Of the file whose content it is. */
  readonly identity: FileIdentity
}

/** Told as a file is read, with the bytes since the last time; at once for a file that need not be read. */
export type OnBytes = (bytes: number) => void

/** Long enough to cost little per piece, short enough that nobody waits for the event loop. */
const readBytes = 256 * 1024
/**
 * Two writes within one tick of the kernel's clock leave the same times, so that a file changed a moment ago could change again unseen. It is read
 * once it has been left alone for longer than a tick.
 */
const clockTickMs = 20
/** One that is still written then has changed while it was to be read. */
const settleAttempts = 10

/** The file is not what it was when its reading began. */
export class FileChanged extends Error {
  override readonly name = 'FileChanged'
  constructor() {
    super('it changed while it was read')
  }
}

export class DigestCache {
  readonly #path: string
  readonly #known: ReadonlyMap<string, Entry>
  /** Those asked for in this run; others have left the model folders and are forgotten. */
  readonly #used = new Map<string, Entry>()
  #isChanged = false
  #saving: Promise<void> = Promise.resolve()

  private constructor(path: string, known: ReadonlyMap<string, Entry>) {
    this.#path = path
    this.#known = known
  }

  /** `path`: where it is kept, e.g. `data/file-digests.json`. */
  static async open(path: string): Promise<DigestCache> {
    return new DigestCache(path, await readKnown(path))
  }

  /** The digest is known without reading the file. */
  knows(path: string, identity: FileIdentity): boolean {
    const known = this.#used.get(path) ?? this.#known.get(path)
    return known !== undefined && sameIdentity(known, identity)
  }

  /** Throws when the file cannot be read; FileChanged when it changes while it is. */
  async digest(path: string, onBytes: OnBytes = () => {}): Promise<Digest> {
    const before = await settledIdentity(path)
    const known = this.#used.get(path) ?? this.#known.get(path)
    if (known && sameIdentity(known, before)) {
      this.#used.set(path, known)
      onBytes(before.sizeBytes)
      return { sha256: known.sha256, identity: before }
    }
    const sha256 = await hashFile(path, onBytes)
    if (!sameIdentity(before, identityOf(await stat(path, { bigint: true })))) throw new FileChanged()
    this.#used.set(path, { ...before, sha256 })
    this.#isChanged = true
    return { sha256, identity: before }
  }

  /** Forgets what has gone, so that files which come and go do not add up. */
  forget(path: string): void {
    if (this.#used.delete(path)) this.#isChanged = true
  }

  /** Keeps what was learnt, if anything was. */
  save(): Promise<void> {
    // One after the other: two writers of one file would leave half of each.
    this.#saving = this.#saving.then(
      () => this.#saveNow(),
      () => this.#saveNow(),
    )
    return this.#saving
  }

  async #saveNow(): Promise<void> {
    if (!this.#isChanged && this.#used.size === this.#known.size) return
    this.#isChanged = false
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

async function settledIdentity(path: string): Promise<FileIdentity> {
  for (let attempt = 0; attempt < settleAttempts; attempt += 1) {
    const stats = await stat(path, { bigint: true })
    const ageMs = Date.now() - Number(stats.ctimeMs)
    // A time in the future is another machine's clock, which says nothing of this kind.
    if (ageMs < 0 || ageMs > clockTickMs) return identityOf(stats)
    await sleep(clockTickMs)
  }
  throw new FileChanged()
}

async function hashFile(path: string, onBytes: OnBytes): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(readBytes)
  await using file = await openRegularFile(path)
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, readBytes, null)
    if (bytesRead === 0) return hash.digest('hex')
    hash.update(buffer.subarray(0, bytesRead))
    onBytes(bytesRead)
  }
}
