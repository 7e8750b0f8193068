/** One file in shared memory. Its pages exist from the beginning: memory that is short shows as an error here, not as a signal in a worker. */
import { readSync } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'

/** `filled`: a worker has sent it, and it is being read. */
export type SlabState = 'free' | 'granted' | 'filled'

const zeros = Buffer.alloc(1024 * 1024)

export class Slab {
  readonly slabId: number
  readonly path: string
  readonly sizeBytes: number
  /** Rises whenever the slab may be filled anew, so that a reference to an earlier content is known as such. */
  generation = 0
  state: SlabState = 'free'
  /** When it became free, milliseconds of a clock that never goes back. */
  freeSince = 0
  readonly #file: FileHandle

  /** Throws what the file system throws (ENOSPC when memory is short), and leaves nothing then. */
  static async make(slabId: number, path: string, sizeBytes: number): Promise<Slab> {
    const file = await open(path, 'wx+', 0o600)
    try {
      // Where memory ends a write is short, and only the next one is an error.
      for (let done = 0; done < sizeBytes; )
        done += (await file.write(zeros, 0, Math.min(zeros.length, sizeBytes - done), done)).bytesWritten
    } catch (error) {
      await file.close()
      await rm(path, { force: true })
      throw error
    }
    return new Slab(slabId, path, sizeBytes, file)
  }

  constructor(slabId: number, path: string, sizeBytes: number, file: FileHandle) {
    this.slabId = slabId
    this.path = path
    this.sizeBytes = sizeBytes
    this.#file = file
  }

  /** Copies what lies at `offset` into the whole of `target`; at once, for few bytes. */
  readNow(target: Uint8Array, offset: number): void {
    requireAll(readSync(this.#file.fd, target, 0, target.length, offset), target)
  }

  /** The same beside everything else that goes on. */
  async read(target: Uint8Array, offset: number): Promise<void> {
    const { bytesRead } = await this.#file.read(target, 0, target.length, offset)
    requireAll(bytesRead, target)
  }

  /** Gives its memory back, once nobody else maps it. */
  async remove(): Promise<void> {
    await rm(this.path, { force: true })
    await this.#file.close()
  }
}

function requireAll(bytesRead: number, target: Uint8Array): void {
  if (bytesRead !== target.length) throw new Error(`A slab gave ${bytesRead} of ${target.length} bytes.`)
}
