/** Why engines do not start, in the words of the workers that tried: the wait reason of a job alone would say only that they did not. */
import type { WorkerId } from '../scheduler/ids.ts'

const wordsCharsMax = 300

export class EngineTrouble {
  /** The last line of a worker that has not said hello yet. */
  readonly #lastLines = new Map<WorkerId, string>()
  readonly #words = new Map<string, string>()

  starting(workerId: WorkerId): void {
    this.#lastLines.set(workerId, '')
  }

  said(workerId: WorkerId, line: string): void {
    if (this.#lastLines.has(workerId) && line.trim() !== '')
      this.#lastLines.set(workerId, line.trim().slice(0, wordsCharsMax))
  }

  started(workerId: WorkerId, engine: string): void {
    this.#lastLines.delete(workerId)
    this.#words.delete(engine)
  }

  ended(workerId: WorkerId, engine: string): void {
    const line = this.#lastLines.get(workerId)
    if (line) this.#words.set(engine, line)
    this.#lastLines.delete(workerId)
  }

  /** Null when the engine's last start went well, or nothing was said. */
  words(engine: string): string | null {
    return this.#words.get(engine) ?? null
  }
}
