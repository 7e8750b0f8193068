/**
 * Sending a part of a file in flat memory: two pieces take turns, one being read while the other is on its way out. They begin small and grow while
 * the reader takes them at once: a fast reader is served three times as fast by large pieces, and thousands of slow ones hold little.
 */
import type { FileHandle } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import type { ByteRange } from './byte-range.ts'

export interface SendLimits {
  /** How long a reader may take nothing. */
  readonly stalledMsMax: number
  /** False: pieces stay as small as they begin. */
  readonly hasAdaptivePieces: boolean
}

const pieceBytesMin = 64 * 1024
/** Larger pieces are slower again: they do not fit into a processor's cache. */
const pieceBytesMax = 1024 * 1024
/** A piece that is taken within this time, whatever its size, was taken at once. */
const atOnceMs = 5

/** Ends when everything is sent or the client has left, at the latest when it has taken nothing for `stalledMsMax`. Closes the file. */
export async function sendFile(
  file: FileHandle,
  { first, last }: ByteRange,
  response: ServerResponse,
  { stalledMsMax, hasAdaptivePieces }: SendLimits,
): Promise<void> {
  response.setTimeout(stalledMsMax, () => response.destroy())
  try {
    const free: Buffer[] = []
    let pieceBytes = Math.min(pieceBytesMin, last - first + 1)
    let writing: Promise<Written> | null = null
    for (let position = first; position <= last && !response.destroyed; ) {
      const piece = free.pop() ?? Buffer.allocUnsafeSlow(pieceBytes)
      const { bytesRead } = await file.read(piece, 0, Math.min(piece.byteLength, last - position + 1), position)
      if (bytesRead === 0) throw new Error(`A file ends at byte ${position}, before ${last}.`)
      position += bytesRead
      const taken = await writing
      if (taken && hasAdaptivePieces && taken.ms < atOnceMs) pieceBytes = Math.min(pieceBytesMax, pieceBytes * 2)
      if (taken?.piece.byteLength === pieceBytes) free.push(taken.piece)
      writing = write(response, piece, bytesRead)
    }
    await writing
    response.end()
  } finally {
    await file.close()
  }
}

interface Written {
  readonly piece: Buffer
  readonly ms: number
}

/** Resolves when the system has taken the piece, so that its memory may be filled again, or when the client is gone. */
function write(response: ServerResponse, piece: Buffer, sizeBytes: number): Promise<Written> {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const settle = () => {
      response.off('close', settle)
      resolve({ piece, ms: performance.now() - startedAt })
    }
    response.once('close', settle)
    response.write(piece.subarray(0, sizeBytes), settle)
  })
}
