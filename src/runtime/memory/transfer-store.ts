/** Where the bytes of transfers are until they are read: in memory while they are few, else in files, so that memory stays flat. */
import { SpoolFile } from './spool-file.ts'

/** Of one transfer, and of all together. */
export interface TransferLimits {
  readonly inMemoryBytesMax: number
  readonly allInMemoryBytesMax: number
}

const defaultLimits: TransferLimits = { inMemoryBytesMax: 1024 * 1024, allInMemoryBytesMax: 32 * 1024 * 1024 }

export interface TransferBytes {
  /** Takes a copy; resolves when the bytes need no memory of their own any more. Null = they need none. */
  append(bytes: Uint8Array): Promise<void> | null
  /** Fills `target` from `offset` on. */
  read(target: Uint8Array, offset: number): Promise<void>
  /** Once. */
  close(): void
}

export class TransferStore {
  readonly #folder: string
  readonly #limits: TransferLimits
  #inMemoryBytes = 0

  constructor(folder: string, limits = defaultLimits) {
    this.#folder = folder
    this.#limits = limits
  }

  begin(totalBytes: number): TransferBytes {
    const { inMemoryBytesMax, allInMemoryBytesMax } = this.#limits
    const isSmall = totalBytes <= inMemoryBytesMax && this.#inMemoryBytes + totalBytes <= allInMemoryBytesMax
    return isSmall ? this.#inMemory(totalBytes) : inFile(this.#folder)
  }

  #inMemory(totalBytes: number): TransferBytes {
    const all = Buffer.allocUnsafeSlow(totalBytes)
    let filledBytes = 0
    this.#inMemoryBytes += totalBytes
    return {
      append: (bytes) => {
        all.set(bytes, filledBytes)
        filledBytes += bytes.length
        return null
      },
      read: (target, offset) => {
        target.set(all.subarray(offset, offset + target.length))
        return Promise.resolve()
      },
      close: () => {
        this.#inMemoryBytes -= totalBytes
      },
    }
  }
}

function inFile(folder: string): TransferBytes {
  const file = new SpoolFile(folder)
  return {
    append: (bytes) => file.append(new Uint8Array(bytes)),
    read: (target, offset) => file.read(target, offset),
    close: () => file.close(),
  }
}
