/** Sending a part of a file in flat memory: two pieces take turns, one being read while the other is on its way out. */
import type { FileHandle } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import type { ByteRange } from './byte-range.ts'

/** Larger pieces were no faster, and each reader holds two. */
const pieceBytesMax = 256 * 1024

/** Ends when everything is sent or the client has left, at the latest when it has taken nothing for `stalledMsMax`. Closes the file. */
export async function sendFile(
  file: FileHandle,
  { first, last }: ByteRange,
  response: ServerResponse,
  stalledMsMax: number,
): Promise<void> {
  response.setTimeout(stalledMsMax, () => response.destroy())
  try {
    const sizeBytes = Math.min(pieceBytesMax, last - first + 1)
    const pieces = [Buffer.allocUnsafeSlow(sizeBytes), Buffer.allocUnsafeSlow(sizeBytes)]
    let writing: Promise<void> = Promise.resolve()
    for (let position = first, turn = 0; position <= last && !response.destroyed; turn++) {
      const piece = pieces[turn % 2] as Buffer
      const { bytesRead } = await file.read(piece, 0, Math.min(sizeBytes, last - position + 1), position)
      if (bytesRead === 0) throw new Error(`A file ends at byte ${position}, before ${last}.`)
      position += bytesRead
      await writing
      writing = written(response, piece.subarray(0, bytesRead))
    }
    await writing
    response.end()
  } finally {
    await file.close()
  }
}

/** Resolves when the system has taken the piece, so that its memory may be filled again, or when the client is gone. */
function written(response: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off('close', settle)
      resolve()
    }
    response.once('close', settle)
    response.write(piece, settle)
  })
}
