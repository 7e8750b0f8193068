/** Results that are written when there is room on the disk: whoever finds it full waits and tries again, until nobody wants the result or the server ends. */
import { ArtifactDiskFull } from '../runtime/artifacts/errors.ts'
import type { JobId } from '../scheduler/ids.ts'

const retryMsMin = 100
const retryMsMax = 5000

export class WaitingResults {
  readonly #waiting = new Map<JobId, AbortController>()
  #isClosed = false

  get waiting(): number {
    return this.#waiting.size
  }

  /** `put` is called again as long as it rejects with ArtifactDiskFull. One at a time of each job. Rejects with ResultGivenUp or ArtifactsClosed. */
  async write<Written>(jobId: JobId, put: () => Promise<Written>): Promise<Written> {
    const wait = new AbortController()
    try {
      for (let attempt = 0; ; attempt++) {
        if (this.#isClosed) throw new ArtifactsClosed()
        if (wait.signal.aborted) throw new ResultGivenUp()
        try {
          return await put()
        } catch (error) {
          if (!(error instanceof ArtifactDiskFull)) throw error
        }
        this.#waiting.set(jobId, wait)
        if (this.#isClosed) wait.abort()
        await pause(Math.min(retryMsMax, retryMsMin * 2 ** attempt), wait.signal)
      }
    } finally {
      this.#waiting.delete(jobId)
    }
  }

  giveUp(jobId: JobId): void {
    this.#waiting.get(jobId)?.abort()
  }

  close(): void {
    this.#isClosed = true
    for (const wait of this.#waiting.values()) wait.abort()
  }
}

/** The server ends before a result could be written; its job is taken up again at the next start. */
export class ArtifactsClosed extends Error {
  override readonly name = 'ArtifactsClosed'
  constructor() {
    super('The server ends; what could not be written is computed again after the next start.')
  }
}

/** The job was cancelled while its result waited for room. */
export class ResultGivenUp extends Error {
  override readonly name = 'ResultGivenUp'
  constructor() {
    super('The job was cancelled while its result waited for room on the disk.')
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const end = () => {
    clearTimeout(timer)
    resolve()
  }
  signal.addEventListener('abort', end, { once: true })
  return promise.finally(() => signal.removeEventListener('abort', end))
}
