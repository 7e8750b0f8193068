/**
 * Files addressed by their content: `ab/<sha256>`, written in `incoming/` first and renamed when they are durable, so that a file under its name
 * is always whole. Who puts a file holds its content until its row is committed (or given up): a content that is held is not removed.
 */
import { createHash, randomUUID } from 'node:crypto'
import { renameSync, statSync, unlinkSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ArtifactDiskFull, ArtifactTooLarge, isDiskFull } from './errors.ts'

export interface StoredContent {
  /** 64 lower-case hex digits. */
  readonly sha256: string
  readonly sizeBytes: number
}
export interface PutLimits {
  readonly sizeBytesMax: number
}

const contentName = /^[0-9a-f]{64}$/
const folderName = /^[0-9a-f]{2}$/

export class ArtifactFiles {
  readonly #folder: string
  readonly #incoming: string
  /** Contents whose row is not committed yet, with how many wait for it. */
  readonly #held = new Map<string, number>()
  readonly #madeFolders = new Set<string>()
  #usedBytes = 0
  /** Counted while no sweep has come to its end; null afterwards. */
  #counted: Set<string> | null = new Set()
  /** The end of the last removal. */
  #removing: Promise<void> = Promise.resolve()

  private constructor(folder: string) {
    this.#folder = folder
    this.#incoming = join(folder, 'incoming')
  }

  /** Makes what is not there, and removes what a former server left half written. */
  static async open(folder: string): Promise<ArtifactFiles> {
    const files = new ArtifactFiles(folder)
    await rm(files.#incoming, { recursive: true, force: true })
    await mkdir(files.#incoming, { recursive: true, mode: 0o700 })
    return files
  }

  /** Bytes of all files, as far as this process has seen them (`sweep` looks at those that were there before). */
  get usedBytes(): number {
    return this.#usedBytes
  }

  path(sha256: string): string {
    if (!contentName.test(sha256)) throw new Error(`${JSON.stringify(sha256)} names no content.`)
    return join(this.#folder, sha256.slice(0, 2), sha256)
  }

  /**
   * Writes the source to the disk, a piece at a time, and answers when the file would survive a power cut. The content is held for the caller.
   * Rejects with ArtifactTooLarge, ArtifactDiskFull, or what the source fails with; then nothing is left.
   */
  async put(source: AsyncIterable<Uint8Array>, limits: PutLimits): Promise<StoredContent> {
    const temporary = join(this.#incoming, randomUUID())
    try {
      const content = await writeAndHash(temporary, source, limits)
      this.#hold(content.sha256)
      try {
        await this.#keep(temporary, content)
      } catch (error) {
        this.release(content.sha256)
        throw error
      }
      return content
    } catch (error) {
      await rm(temporary, { force: true })
      throw isDiskFull(error) ? new ArtifactDiskFull(error) : error
    }
  }

  /** The row is committed, or will never be: then `remove` is due, if no row has the content. */
  release(sha256: string): void {
    const holders = this.#held.get(sha256) ?? 0
    if (holders > 1) this.#held.set(sha256, holders - 1)
    else this.#held.delete(sha256)
  }

  /** Null when the file is gone. Whoever reads it may go on after it is removed. */
  async openForReading(sha256: string): Promise<FileHandle | null> {
    try {
      return await open(this.path(sha256), 'r')
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  /** False: somebody holds it, for a row that is about to be written. In one step, so that nobody can begin to hold it meanwhile. */
  remove(sha256: string, sizeBytes: number): boolean {
    if (this.#held.has(sha256)) return false
    try {
      this.#takeAway(this.path(sha256))
      this.#count(sha256, 0, sizeBytes)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    return true
  }

  /** Looks at every file that is there, folder by folder, counts it, and removes those that `findUnused` names. Returns how many. */
  async sweep(findUnused: (contents: readonly string[]) => Promise<readonly string[]>): Promise<number> {
    let removed = 0
    for (const folder of await readdir(this.#folder)) {
      if (!folderName.test(folder)) continue
      const names = (await readdir(join(this.#folder, folder))).filter((name) => contentName.test(name))
      const sizes = new Map(names.flatMap((sha256) => this.#countFound(sha256)))
      for (const sha256 of await findUnused([...sizes.keys()])) {
        if (this.remove(sha256, sizes.get(sha256) ?? 0)) removed++
      }
    }
    this.#counted = null
    return removed
  }

  /** Its size, if it is still there. In one step, so that what is removed meanwhile is not counted afterwards. */
  #countFound(sha256: string): [sha256: string, sizeBytes: number][] {
    const found = statSync(this.path(sha256), { throwIfNoEntry: false })
    if (!found) return []
    if (this.#counted?.has(sha256) === false) this.#count(sha256, found.size, 0)
    return [[sha256, found.size]]
  }

  #count(sha256: string, sizeBytes: number, formerBytes: number): void {
    // Of what the sweep has not come to yet, nothing was counted before.
    const isKnown = this.#counted === null || this.#counted.has(sha256)
    this.#usedBytes += sizeBytes - (isKnown ? formerBytes : 0)
    this.#counted?.add(sha256)
  }

  /** The name goes at once; the file in the background, one after the other, because a gigabyte takes the system a third of a second. */
  #takeAway(path: string): void {
    const gone = join(this.#incoming, randomUUID())
    try {
      renameSync(path, gone)
    } catch (error) {
      if (!isDiskFull(error)) throw error
      return unlinkSync(path)
    }
    // What cannot be removed now goes at the next start, with all that lies there.
    this.#removing = this.#removing.then(() => rm(gone, { force: true })).catch(() => {})
  }

  #hold(sha256: string): void {
    this.#held.set(sha256, (this.#held.get(sha256) ?? 0) + 1)
  }

  /** Under its name, durably. A file of this content that is there already serves as well. */
  async #keep(temporary: string, { sha256, sizeBytes }: StoredContent): Promise<void> {
    const path = this.path(sha256)
    const folder = join(this.#folder, sha256.slice(0, 2))
    if (!this.#madeFolders.has(folder)) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await syncFolder(this.#folder)
      this.#madeFolders.add(folder)
    }
    // In one step, so that two who bring the same content count it once.
    const existing = statSync(path, { throwIfNoEntry: false })
    if (existing?.size !== sizeBytes) {
      renameSync(temporary, path)
      this.#count(sha256, sizeBytes, existing?.size ?? 0)
    }
    // Also for one that was there: its own writer may not have come so far yet.
    await syncFolder(folder)
    await rm(temporary, { force: true })
  }
}

/** A piece is digested while it is written, and let go before the next is asked for. */
async function writeAndHash(
  path: string,
  source: AsyncIterable<Uint8Array>,
  { sizeBytesMax }: PutLimits,
): Promise<StoredContent> {
  const file = await open(path, 'wx', 0o600)
  try {
    const hash = createHash('sha256')
    let sizeBytes = 0
    for await (const piece of source) {
      sizeBytes += piece.byteLength
      if (sizeBytes > sizeBytesMax) throw new ArtifactTooLarge(sizeBytesMax)
      const written = writeAll(file, piece)
      hash.update(piece)
      await written
    }
    await file.sync()
    return { sha256: hash.digest('hex'), sizeBytes }
  } finally {
    await file.close()
  }
}

async function writeAll(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let rest = piece; rest.byteLength > 0; ) {
    const { bytesWritten } = await file.write(rest)
    rest = rest.subarray(bytesWritten)
  }
}

/** Makes the names in a folder durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
