/** Something on another core that gives bytes when asked; each round trip ends when all bytes are in this process. */
import { fileURLToPath } from 'node:url'

export const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url))
/** Where it runs. */
export const peerCore = 0

export interface Peer extends AsyncDisposable {
  /** Asks for so many bytes, and has them when it resolves. */
  fetch(sizeBytes: number): Promise<void>
}

/** Every byte counts: a transfer that loses some is no transfer. */
export function requireBytes(came: number, asked: number): void {
  if (came !== asked) throw new Error(`Asked for ${asked} bytes, ${came} came.`)
}
