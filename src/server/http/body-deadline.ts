import type { IncomingMessage } from 'node:http'

/**
 * Bodies of ordinary requests must be here within `msMax`, else the connection ends. Node's own limit is off, because it would end a long upload
 * as well as a slow attack.
 */
export function limitBodyTime(request: IncomingMessage, msMax: number): void {
  if (!hasBody(request)) return
  const deadline = setTimeout(() => request.destroy(), msMax)
  const settle = () => clearTimeout(deadline)
  request.once('end', settle).once('close', settle)
}

/** After an answer that did not wait for it: the rest is thrown away, so that the sender reads the answer instead of a broken connection. */
export function discardBody(request: IncomingMessage, msMax: number): void {
  limitBodyTime(request, msMax)
  request.resume()
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
