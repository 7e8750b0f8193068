/** A file as its header readers see it: any part of it, read when it is asked for. */
import type { FileHandle } from 'node:fs/promises'

export interface ByteSource {
  readonly sizeBytes: number
  /** Fewer bytes only where the file ends. They belong to the reader until it asks for the next. */
  read(offset: number, lengthBytes: number): Promise<Buffer>
}

/** Of an open file, which stays its owner's to close. */
export async function fileSource(file: FileHandle): Promise<ByteSource> {
  const { size } = await file.stat()
  return {
    sizeBytes: size,
    read: async (offset, lengthBytes) => {
      const wanted = Buffer.allocUnsafe(Math.max(0, Math.min(lengthBytes, size - offset)))
      const { bytesRead } = await file.read(wanted, 0, wanted.length, offset)
      return wanted.subarray(0, bytesRead)
    },
  }
}
