/** A body that must keep moving: a sender that trickles holds a connection and a place among the uploads, and is told to come back instead. */
import type { IncomingMessage } from 'node:http'

/** Less than this in the time that was set is no upload, only a connection that is held. */
export const windowBytesMin = 16 * 1024

export class BodyStalled extends Error {
  override readonly name = 'BodyStalled'
  constructor(ms: number) {
    super(`Less than ${windowBytesMin} bytes came in ${ms} ms`)
  }
}

/**
 * The pieces of the body, each until the next is asked for. Whoever stops in the middle leaves the connection open, so that it can still be
 * answered. Rejects with BodyStalled, or when the sender goes away.
 */
export async function* movingBody(request: IncomingMessage, stalledMsMax: number): AsyncGenerator<Uint8Array> {
  const pieces: AsyncIterator<Uint8Array, undefined> = request.iterator({ destroyOnReturn: false })
  let stopWaiting: (error: BodyStalled) => void = () => {}
  // Not a race against one promise for the whole body: that would remember every piece until its end.
  const nextPiece = () =>
    new Promise<IteratorResult<Uint8Array, undefined>>((resolve, reject) => {
      stopWaiting = reject
      pieces.next().then(resolve, reject)
    })
  let seenBytes = request.socket.bytesRead
  const watch = setInterval(() => {
    const { bytesRead } = request.socket
    // What is here already and waits for the disk is not the sender's fault.
    const isLate = bytesRead - seenBytes < windowBytesMin && request.readableLength === 0 && !request.complete
    if (isLate) stopWaiting(new BodyStalled(stalledMsMax))
    seenBytes = bytesRead
  }, stalledMsMax)
  try {
    for (let next = await nextPiece(); !next.done; next = await nextPiece()) {
      yield next.value
      giveBack(next.value)
    }
  } finally {
    clearInterval(watch)
  }
}

/**
 * The memory of a piece that nobody needs any more, at once: the garbage collector hears of bytes outside its heap so late that a large file would
 * cost the server hundreds of megabytes. Only where the piece is all there is in its buffer.
 */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}
