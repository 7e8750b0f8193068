/** Jobs as the store takes them, of a no-op model that is registered in it. */
import type { JobId, TaskId, VersionId } from '../../src/scheduler/ids.ts'
import type { JobRecord, ModelId, NewJob, TaskRecord, VersionRecord } from '../../src/store/records.ts'
import type { Store } from '../../src/store/store.ts'

/** What a test may want to be different. */
export interface JobDetails
  extends Partial<Pick<JobRecord, 'taskKind' | 'sessionId' | 'class' | 'idempotencyKey' | 'createdAt' | 'deadlineAt'>> {
  readonly request?: string
  readonly fingerprint?: string
}

export class StoredJobs {
  readonly version: VersionRecord
  #nextJobId: number
  #nextTaskId: number

  constructor(store: Store, version: VersionRecord) {
    this.version = version
    this.#nextJobId = store.opening.nextJobId
    this.#nextTaskId = store.opening.nextTaskId
  }

  /** A new job with one task, not yet submitted. */
  next(details: JobDetails = {}): NewJob {
    const { request = '{"program":{"name":"noop","parameters":{}}}', fingerprint = 'same', ...given } = details
    const id = this.#nextJobId++ as JobId
    const taskId = this.#nextTaskId++ as TaskId
    return { record: this.#record(id, given), request, fingerprint, tasks: [onlyTask(taskId, id)] }
  }

  many(count: number, details: JobDetails = {}): NewJob[] {
    return Array.from({ length: count }, () => this.next(details))
  }

  #record(id: JobId, given: Partial<JobRecord>): JobRecord {
    const { id: versionId, modelId } = this.version
    return { ...queuedRecord(id), versionId, modelId, createdAt: Date.now(), ...given }
  }
}

export async function storedJobs(store: Store): Promise<StoredJobs> {
  const model = { name: 'noop', task: 'program' }
  const version = {
    sha256: '0'.repeat(64),
    state: 'READY',
    license: null,
    manifest: '{}',
    directory: '/models/noop',
    sizeBytes: 0,
    peakBytes: 0,
    registeredAt: 1,
  } as const
  return new StoredJobs(store, (await store.registerVersion(model, version, [])).version)
}

/** The one task of a job without a graph. */
export function onlyTask(id: TaskId, jobId: JobId): TaskRecord {
  const graph = { node: 'run', program: 'noop', components: [], after: [] }
  return { id, jobId, ...graph, item: 0, stage: 'inference', isHeld: false }
}

/** A record as submissions make it. */
export function queuedRecord(id: number): JobRecord {
  return {
    id: id as JobId,
    taskKind: 'program',
    modelId: 1 as ModelId,
    versionId: 1 as VersionId,
    sessionId: null,
    class: 'interactive',
    idempotencyKey: null,
    retryOf: null,
    createdAt: 1,
    deadlineAt: null,
    state: 'QUEUED',
    attempt: 0,
    failedAttempts: 0,
    deathsAlone: 0,
    cancelRequestedAt: null,
    pauseRequestedAt: null,
    pauseCause: null,
    pausedAt: null,
    pausedMs: 0,
    pausedWaitingMs: 0,
    deviceId: null,
    loadingAt: null,
    startedAt: null,
    firstPartialAt: null,
    postprocessingAt: null,
    finishedAt: null,
    progressDone: 0,
    progressTotal: null,
    progressUnit: null,
    failure: null,
  }
}
