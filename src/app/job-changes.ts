/** A job's next state: written, published, and until then known here, because a record shows only what is committed. */
import type { JobId, Millis } from '../scheduler/ids.ts'
import type { JobEventLog } from '../store/job-events.ts'
import type { JobEventBody, JobPatch, JobRecord, JobState } from '../store/records.ts'
import type { LiveJob } from './live-jobs.ts'
import type { FinishedOutput } from './outputs/finish-output.ts'

export class JobChanges {
  readonly #log: Pick<JobEventLog, 'changeState'>
  readonly #onLost: (error: unknown) => void
  /** What is decided of a job and not committed yet, together. */
  readonly #uncommitted = new Map<JobId, JobPatch>()

  /** `onLost`: a commit that could not be made at all; the server must not go on as if it had been. */
  constructor(log: Pick<JobEventLog, 'changeState'>, onLost: (error: unknown) => void) {
    this.#log = log
    this.#onLost = onLost
  }

  /** The record as it is once all that is decided is committed. */
  decided({ record }: LiveJob): Readonly<JobRecord> {
    const uncommitted = this.#uncommitted.get(record.id)
    return uncommitted ? { ...record, ...uncommitted } : record
  }

  /** `committed` is called after the commit. */
  change(
    { record }: LiveJob,
    body: JobEventBody,
    to: JobState,
    patch: JobPatch,
    output?: FinishedOutput,
    committed?: () => void,
  ): void {
    const uncommitted = { ...this.#uncommitted.get(record.id), ...patch, state: to }
    this.#uncommitted.set(record.id, uncommitted)
    this.#log
      .changeState(record, body, to, patch, output?.encoded, output?.artifacts)
      .then(() => {
        if (this.#uncommitted.get(record.id) === uncommitted) this.#uncommitted.delete(record.id)
        committed?.()
      })
      .catch(this.#onLost)
  }
}

/** What a pause that is over now adds to those before it. */
export function pausesUntil(now: Millis, { pausedAt, pausedMs }: JobRecord): JobPatch & { readonly pausedMs: number } {
  const allPausedMs = pausedAt === null ? pausedMs : pausedMs + Math.max(0, now - pausedAt)
  return { pausedAt: null, pauseCause: null, pausedMs: allPausedMs }
}
