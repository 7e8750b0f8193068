/**
 * The jobs that are in memory: all that have not ended, and the most recent of those that have. Records here are the committed ones
 * (the event log replaces their fields only after a commit), so whoever reads them sees nothing that could still be lost.
 */
import { LRUCache } from 'lru-cache'
import type { JobId, TaskId } from '../scheduler/ids.ts'
import type { JobRecord, TaskRecord } from '../store/records.ts'

/** What became of a submission, as far as finding its jobs by key goes. */
type Submitted = { readonly jobs?: readonly { readonly record: JobRecord }[] }

/** Requests longer than this are read from the store when their task is admitted: a full queue of long prompts must not fill memory. */
const keptRequestChars = 2048

export interface LiveJob {
  readonly record: JobRecord
  readonly tasks: readonly TaskRecord[]
  /** JSON text; null when it is long. */
  readonly request: string | null
}

export class LiveJobs {
  readonly #live = new Map<JobId, LiveJob>()
  readonly #jobOfTask = new Map<TaskId, LiveJob>()
  readonly #jobOfKey = new Map<string, LiveJob>()
  readonly #pendingKeys = new Map<string, Promise<Submitted>>()
  readonly #ended: LRUCache<JobId, JobRecord>

  constructor(endedMax: number) {
    this.#ended = new LRUCache({ max: endedMax })
  }

  add(record: JobRecord, tasks: readonly TaskRecord[], request: string | null): LiveJob {
    const job = { record, tasks, request: request !== null && request.length <= keptRequestChars ? request : null }
    this.#live.set(record.id, job)
    for (const task of tasks) this.#jobOfTask.set(task.id, job)
    if (record.idempotencyKey !== null) this.#jobOfKey.set(record.idempotencyKey, job)
    return job
  }

  get(id: JobId): LiveJob | null {
    return this.#live.get(id) ?? null
  }

  ofTask(id: TaskId): LiveJob | null {
    return this.#jobOfTask.get(id) ?? null
  }

  /** Live or recently ended. */
  record(id: JobId): JobRecord | null {
    return this.#live.get(id)?.record ?? this.#ended.get(id) ?? null
  }

  /** A live job, or one whose submission is being written now; null when neither. */
  async byKey(key: string): Promise<JobRecord | null> {
    const live = this.#jobOfKey.get(key)
    if (live) return live.record
    const outcome = await this.#pendingKeys.get(key)
    return outcome?.jobs?.find(({ record }) => record.idempotencyKey === key)?.record ?? null
  }

  /** Lets `byKey` find what `submission` writes. */
  async whilePending<Outcome extends object>(
    keys: readonly string[],
    submission: Promise<Outcome & Submitted>,
  ): Promise<Outcome> {
    for (const key of keys) this.#pendingKeys.set(key, submission)
    try {
      return await submission
    } finally {
      for (const key of keys) if (this.#pendingKeys.get(key) === submission) this.#pendingKeys.delete(key)
    }
  }

  /** After the commit of its final event. */
  end(id: JobId): void {
    const job = this.#live.get(id)
    if (!job) return
    this.#live.delete(id)
    for (const task of job.tasks) this.#jobOfTask.delete(task.id)
    if (job.record.idempotencyKey !== null) this.#jobOfKey.delete(job.record.idempotencyKey)
    this.#ended.set(id, job.record)
  }

  /** Retention has deleted it. */
  forget(id: JobId): void {
    this.#ended.delete(id)
  }

  get count(): number {
    return this.#live.size
  }

  ids(): IterableIterator<JobId> {
    return this.#live.keys()
  }
}
