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
 * The pieces of the body. Whoever stops in the middle leaves the connection open, so that it can still be answered. Rejects with BodyStalled, or
 * when the sender goes away.
 */
export async function* movingBody(request: IncomingMessage, stalledMsMax: number): AsyncGenerator<Uint8Array> {
  const stalled = Promise.withResolvers<never>()
  stalled.promise.catch(() => {})
  let seenBytes = request.socket.bytesRead
  const watch = setInterval(() => {
    const { bytesRead } = request.socket
    // What is here already and waits for the disk is not the sender's fault.
    const isLate = bytesRead - seenBytes < windowBytesMin && request.readableLength === 0 && !request.complete
    if (isLate) stalled.reject(new BodyStalled(stalledMsMax))
    seenBytes = bytesRead
  }, stalledMsMax)
  try {
    const pieces = request.iterator({ destroyOnReturn: false })
    for (;;) {
      const { done, value } = (await Promise.race([pieces.next(), stalled.promise])) as IteratorResult<Uint8Array>
      if (done) return
      yield value
    }
  } finally {
    clearInterval(watch)
  }
}
