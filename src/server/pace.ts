/**
 * Keeps one stream from taking the whole event loop. A source that always has a next item would never let its socket, or anybody
 * else's, get a turn: promises alone do not give way to I/O. After `bytesPerTurn` a writer has to wait for the next turn.
 */
const bytesPerTurn = 32 * 1024

export class Pace {
  #bytesThisTurn = 0
  #nextTurn: Promise<void> | null = null

  /** Counts what was written; a promise when the writer shall wait. */
  wrote(bytes: number): Promise<void> | null {
    this.#bytesThisTurn += bytes
    if (this.#bytesThisTurn < bytesPerTurn) return null
    this.#nextTurn ??= new Promise((resolve) =>
      setImmediate(() => {
        this.#bytesThisTurn = 0
        this.#nextTurn = null
        resolve()
      }),
    )
    return this.#nextTurn
  }
}
