/**
 * A file for the bytes of one transfer. It has no name: its folder entry is removed as soon as it is open, so that it ends with this process,
 * however that ends. A full disk is waited for, because whoever writes can be held back.
 */
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const retryMs = 500
let lastNumber = 0

export class SpoolFile {
  readonly #opened: Promise<FileHandle>
  /** Ends with what has been written so far. Rejects when that could not be. */
  #written: Promise<void> = Promise.resolve()
  #sizeBytes = 0
  readonly #closing = new AbortController()

  /** @param folder is made if it is not there. */
  constructor(folder: string) {
    this.#opened = openNameless(folder)
    // Who reads or waits for the writes learns of it.
    this.#opened.catch(() => {})
  }

  /** Takes the bytes over; resolves when they are written. They are written in the order of the calls. */
  append(bytes: Uint8Array): Promise<void> {
    const offset = this.#sizeBytes
    this.#sizeBytes += bytes.length
    const written = this.#written.then(() => this.#write(bytes, offset))
    this.#written = written
    written.catch(() => {})
    return written
  }

  /** Fills `target` from `offset` on, when everything has been written. */
  async read(target: Uint8Array, offset: number): Promise<void> {
    await this.#written
    const { bytesRead } = await (await this.#opened).read(target, 0, target.length, offset)
    if (bytesRead !== target.length) throw new Error(`A transfer gave ${bytesRead} of ${target.length} bytes.`)
  }

  close(): void {
    this.#closing.abort()
    this.#written
      .catch(() => {})
      .then(() => this.#opened)
      .then((file) => file.close())
      // It was never open.
      .catch(() => {})
  }

  async #write(bytes: Uint8Array, start: number): Promise<void> {
    const file = await this.#opened
    for (let done = 0; done < bytes.length; ) {
      if (this.#closing.signal.aborted) return
      try {
        done += (await file.write(bytes, done, bytes.length - done, start + done)).bytesWritten
      } catch (error) {
        if (!isFull(error)) throw error
        await delay(retryMs, undefined, { signal: this.#closing.signal }).catch(() => {})
      }
    }
  }
}

async function openNameless(folder: string): Promise<FileHandle> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  lastNumber += 1
  const path = join(folder, `${process.pid}-${lastNumber}-${performance.now()}`)
  const file = await open(path, 'wx+', 0o600)
  await rm(path)
  return file
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
