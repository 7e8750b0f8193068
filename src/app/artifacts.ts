/**
 * Files that jobs take and give. A file is durable before its row is written, and a row is written together with what refers to it, so nobody
 * ever sees one without the other.
 */
import type { ArtifactFiles, StoredContent } from '../runtime/artifacts/artifact-files.ts'
import { ArtifactDiskFull } from '../runtime/artifacts/errors.ts'
import type { JobId, Millis } from '../scheduler/ids.ts'
import type { ArtifactId, ArtifactRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import type { ArtifactUrls, SignedUrl } from './artifact-urls.ts'
import type { Clock } from './clock.ts'
import { NotFound, Overloaded } from './errors.ts'
import type { Ids } from './ids.ts'
import { BrokenPicture, type PictureType } from './pictures/header-reading.ts'
import { isPictureType } from './pictures/picture-header.ts'
import { readStoredPicture } from './pictures/stored-picture.ts'
import { WaitingResults } from './waiting-results.ts'

export interface ArtifactDetails {
  readonly mimeType: string
  /** The job that made it. */
  readonly jobId: JobId
  /** Pixels, of a picture; read from it where they are not given. */
  readonly width?: number
  readonly height?: number
}

export interface ArtifactParts {
  readonly files: ArtifactFiles
  readonly urls: ArtifactUrls
  readonly store: Store
  readonly ids: Ids
  readonly clock: Clock
  /** Largest file that a job may give. */
  readonly sizeBytesMax: number
  /** With less than this free on the disk, nothing new is taken in. */
  readonly freeBytesMin: number
}

const retryWhenFullMs = 5000

export class Artifacts {
  readonly files: ArtifactFiles
  readonly urls: ArtifactUrls
  readonly #parts: ArtifactParts
  readonly #results = new WaitingResults()
  #freeBytes: number | null = null
  #uploads = 0

  constructor(parts: ArtifactParts) {
    this.#parts = parts
    this.files = parts.files
    this.urls = parts.urls
  }

  /** In words, while the disk is full or nearly so: nothing more should be taken in. */
  get trouble(): string | null {
    return this.#troubleWith(0)
  }

  #troubleWith(sizeBytes: number): string | null {
    if (this.waiting > 0) return `${this.waiting} results wait for room on the disk of the data folder`
    const { freeBytesMin } = this.#parts
    if (this.#freeBytes === null || this.#freeBytes - sizeBytes >= freeBytesMin) return null
    return `${this.#freeBytes} bytes are left on the disk of the data folder, of which ${freeBytesMin} stay in reserve (HEARTH_DISK_RESERVE_BYTES)`
  }

  /** Results that wait for room on the disk: at most one of each job. */
  get waiting(): number {
    return this.#results.waiting
  }

  /** Free on the disk of the data folder when it was last looked at, less what was uploaded since; null = not known. */
  get freeBytes(): number | null {
    return this.#freeBytes
  }

  noteFreeBytes(bytes: number): void {
    this.#freeBytes = bytes
  }

  /**
   * Writes what a job has made; its row is to be committed with the job's end, and nobody sees it before. While the disk is full it waits and
   * tries again: `source` is then asked for the pieces anew, from the first. Afterwards tell `committed` or `discard`. One at a time of each job.
   * Rejects with ArtifactTooLarge, ResultGivenUp, ArtifactsClosed when the server ends first, or with what the source fails with.
   */
  async prepare(source: () => AsyncIterable<Uint8Array>, details: ArtifactDetails): Promise<ArtifactRecord> {
    const { sizeBytesMax } = this.#parts
    return this.#recordOf(
      await this.#results.write(details.jobId, () => this.files.put(source(), { sizeBytesMax })),
      details,
    )
  }

  /** As `prepare`, of what nobody waits for: null where there is no room on the disk now. */
  async prepareIfRoom(bytes: Uint8Array, details: ArtifactDetails): Promise<ArtifactRecord | null> {
    if (this.#troubleWith(bytes.byteLength) !== null) return null
    const pieces = async function* () {
      yield bytes
    }
    try {
      const content = await this.files.put(pieces(), { sizeBytesMax: this.#parts.sizeBytesMax })
      return await this.#recordOf(content, details)
    } catch (error) {
      if (error instanceof ArtifactDiskFull) return null
      throw error
    }
  }

  /** A row for a file that was just put. Where there can be none, the file goes. */
  async #recordOf(content: StoredContent, details: ArtifactDetails): Promise<ArtifactRecord> {
    try {
      const { mimeType, jobId } = details
      const picture =
        details.width === undefined && isPictureType(mimeType) ? await this.#sizeOf(content, mimeType) : details
      return this.record(content, mimeType, jobId, picture.width ?? null, picture.height ?? null)
    } catch (error) {
      await this.discard([content])
      throw error
    }
  }

  /**
   * Their rows are written. They are held until this turn is over: who hears of the same commit that nobody has these contents, because he stood
   * before these rows in it, removes files in this turn, and shall find them held.
   */
  committed(contents: readonly StoredContent[]): void {
    if (contents.length > 0) setImmediate(() => this.#release(contents))
  }

  /** Their rows will never be written: files that nobody else needs go. */
  async discard(contents: readonly StoredContent[]): Promise<void> {
    this.#release(contents)
    const sizes = new Map(contents.map(({ sha256, sizeBytes }) => [sha256, sizeBytes]))
    const unused = await this.#parts.store.findUnusedContents([...sizes.keys()])
    this.removeFiles(unused.map((sha256) => [sha256, sizes.get(sha256) ?? 0]))
  }

  /** Contents whose last row was just deleted. Called in the turn that hears of the commit: a file that somebody holds for a new row stays. */
  removeFiles(contents: readonly (readonly [sha256: string, sizeBytes: number])[]): void {
    for (const [sha256, sizeBytes] of contents) this.files.remove(sha256, sizeBytes)
  }

  /** Null: a new file of so many bytes (or a job) may come in. Else why not, and when to ask again. */
  refusal(sizeBytes = 0): Overloaded | null {
    const trouble = this.#troubleWith(sizeBytes)
    if (trouble === null) return null
    return new Overloaded('disk', retryWhenFullMs, `Nothing more is taken at present: ${trouble}.`)
  }

  /**
   * The same pieces, as long as each leaves the reserve alone; fails with ArtifactDiskFull before the first that would not. What comes in between
   * two looks at the disk is counted here, so that many at once do not eat the reserve together.
   */
  async *withinRoom(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      const trouble = this.#troubleWith(piece.byteLength)
      if (trouble !== null) throw new ArtifactDiskFull(trouble)
      if (this.#freeBytes !== null) this.#freeBytes -= piece.byteLength
      yield piece
    }
  }

  get uploads(): number {
    return this.#uploads
  }

  /** `endUpload` follows. */
  beginUpload(): void {
    this.#uploads++
  }

  endUpload(): void {
    this.#uploads--
  }

  /** Committed ones only; null also when retention has removed it. */
  find(id: ArtifactId): Promise<ArtifactRecord | null> {
    return this.#parts.store.readArtifact(id)
  }

  urlOf(record: ArtifactRecord, now: Millis): SignedUrl {
    return this.urls.urlOf(record, now)
  }

  /** A row for a file that is there, not yet written. */
  record(
    { sha256, sizeBytes }: StoredContent,
    mimeType: string,
    jobId: JobId | null,
    width: number | null,
    height: number | null,
  ): ArtifactRecord {
    const { ids, clock } = this.#parts
    return { id: ids.artifact(), sha256, mimeType, sizeBytes, width, height, jobId, createdAt: clock.now() }
  }

  /** Nobody wants the job's result any more: if it waits for room, it waits no longer. */
  giveUp(jobId: JobId): void {
    this.#results.giveUp(jobId)
  }

  /** Whoever still waits for room is told that it will not come. */
  close(): void {
    this.#results.close()
  }

  #release(contents: readonly StoredContent[]): void {
    for (const { sha256 } of contents) this.files.release(sha256)
  }

  /** A program may call anything a picture; what is none has no size. */
  async #sizeOf({ sha256 }: StoredContent, mimeType: PictureType): Promise<{ width?: number; height?: number }> {
    try {
      return await readStoredPicture(this.files, sha256, mimeType)
    } catch (error) {
      if (error instanceof BrokenPicture) return {}
      throw error
    }
  }
}

/** An input that is unknown, or that retention has removed. */
export function missingArtifact(id: ArtifactId): NotFound {
  return new NotFound('Artifact', id)
}
