/**
 * Commits batches in order. One that cannot be committed (disk full, I/O error) stays at the head of the line and is tried again with growing
 * pauses, for as long as it takes: what was accepted is never dropped. When there is nothing to do, the log is written back to the database.
 */
import type { Connection } from '../opening/connection.ts'
import { isStorageTrouble, prepareApplyBatch, StorageTrouble } from './apply-batch.ts'
import type { Primitive } from './message-values.ts'
import type { FromWriter } from './messages.ts'

const retryMsMin = 50
const retryMsMax = 2000
/** Without a commit for so long, it is idle. */
const idleMs = 250

export class Writer {
  readonly #database: Connection
  readonly #tell: (message: FromWriter) => void
  readonly #apply: ReturnType<typeof prepareApplyBatch>
  readonly #waiting: (readonly Primitive[])[] = []
  readonly #maxPages: number
  #retry: NodeJS.Timeout | null = null
  #idle: NodeJS.Timeout | null = null
  #failures = 0
  #committedAt = 0

  constructor(database: Connection, tell: (message: FromWriter) => void) {
    this.#database = database
    this.#tell = tell
    this.#apply = prepareApplyBatch(database)
    this.#maxPages = database.pragma('max_page_count', { simple: true }) as number
  }

  write(batch: readonly Primitive[]): void {
    this.#waiting.push(batch)
    if (!this.#retry) this.#drain()
  }

  limitDatabase(bytes: number | null): void {
    const pageBytes = this.#database.pragma('page_size', { simple: true }) as number
    const pages = bytes === null ? this.#maxPages : Math.max(1, Math.floor(bytes / pageBytes))
    this.#database.pragma(`max_page_count = ${pages}`)
  }

  /** Tries a last time to commit what waits; returns how many batches are lost. */
  close(): number {
    if (this.#retry) clearTimeout(this.#retry)
    if (this.#idle) clearTimeout(this.#idle)
    this.#retry = null
    this.#drain()
    if (this.#retry) clearTimeout(this.#retry)
    const lost = this.#waiting.length
    if (lost === 0) this.#checkpoint('TRUNCATE')
    this.#database.close()
    return lost
  }

  #drain(): void {
    for (let batch = this.#waiting[0]; batch; batch = this.#waiting[0]) {
      try {
        const { results, failures } = this.#apply(batch)
        this.#tell({ type: 'committed', outcome: results.length + failures.length > 0 ? { results, failures } : null })
      } catch (error) {
        if (!(error instanceof StorageTrouble)) throw error
        return this.#retryLater(error)
      }
      this.#waiting.shift()
      this.#failures = 0
      this.#committedAt = performance.now()
    }
    this.#idle ??= setTimeout(() => this.#checkpointWhenIdle(), idleMs)
  }

  #retryLater(trouble: StorageTrouble): void {
    const retryInMs = Math.min(retryMsMax, retryMsMin * 2 ** this.#failures++)
    this.#tell({ type: 'trouble', message: trouble.message, retryInMs })
    this.#retry = setTimeout(() => {
      this.#retry = null
      this.#drain()
    }, retryInMs)
  }

  /** Copies what readers allow from the log to the database; never waits for them. */
  #checkpointWhenIdle(): void {
    this.#idle = null
    const idleForMs = performance.now() - this.#committedAt
    if (idleForMs < idleMs) this.#idle = setTimeout(() => this.#checkpointWhenIdle(), idleMs - idleForMs)
    else if (!this.#retry) this.#checkpoint('PASSIVE')
  }

  /** One that fails loses nothing: the log keeps everything until a later one succeeds. */
  #checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): void {
    try {
      this.#database.pragma(`wal_checkpoint(${mode})`)
    } catch (error) {
      if (!isStorageTrouble(error)) throw error
    }
  }
}
