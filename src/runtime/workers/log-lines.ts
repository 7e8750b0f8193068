/**
 * Turns what a process writes to standard output and error into log lines, and bounds it: a line keeps its first 8 KiB, and a process that writes
 * faster than 256 KiB/s loses the rest of that second, which is said in one line.
 */
export interface LogLimits {
  readonly lineBytesMax: number
  readonly bytesPerSecondMax: number
}

/** What one process may log; shared by its standard output, standard error and LOG frames. */
export class LogBudget {
  readonly limits: LogLimits
  readonly #now: () => number
  readonly #onLeftOut: (bytes: number) => void
  #secondStart = 0
  #usedBytes = 0
  #leftOutBytes = 0

  constructor(limits: LogLimits, now: () => number, onLeftOut: (bytes: number) => void) {
    this.limits = limits
    this.#now = now
    this.#onLeftOut = onLeftOut
  }

  /** Whether so many bytes may still be logged in this second. */
  take(bytes: number): boolean {
    this.turnSecond()
    if (this.#usedBytes < this.limits.bytesPerSecondMax) {
      this.#usedBytes += bytes
      return true
    }
    this.#leftOutBytes += bytes
    return false
  }

  /** Begins the next second if it is time. */
  turnSecond(): void {
    const now = this.#now()
    if (now - this.#secondStart < 1000) return
    this.reportLeftOut()
    this.#secondStart = now
    this.#usedBytes = 0
  }

  /** To be called at the end, so that nothing is left out in silence. */
  reportLeftOut(): void {
    if (this.#leftOutBytes === 0) return
    this.#onLeftOut(this.#leftOutBytes)
    this.#leftOutBytes = 0
  }
}

const newline = 0x0a

export class LineSplitter {
  readonly #budget: LogBudget
  readonly #onLine: (line: string) => void
  #begun: Buffer[] = []
  #begunBytes = 0

  constructor(budget: LogBudget, onLine: (line: string) => void) {
    this.#budget = budget
    this.#onLine = onLine
  }

  push(chunk: Buffer): void {
    if (!this.#budget.take(chunk.length)) return
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#extend(chunk.subarray(start, end))
      this.#finishLine()
      start = end + 1
    }
    this.#extend(chunk.subarray(start))
  }

  /** The stream has ended: what stands in its last line is a line too. */
  end(): void {
    this.#finishLine()
  }

  #extend(part: Buffer): void {
    const kept = part.subarray(0, this.#budget.limits.lineBytesMax - this.#begunBytes)
    if (kept.length === 0) return
    this.#begun.push(kept)
    this.#begunBytes += kept.length
  }

  #finishLine(): void {
    if (this.#begunBytes > 0) {
      const line = Buffer.concat(this.#begun).toString('utf8').trimEnd()
      if (line !== '') this.#onLine(line)
    }
    this.#begun = []
    this.#begunBytes = 0
  }
}
