/** The event log of `job-events.ts`: who numbers, who writes, who shows, and when. */
import type { JobId, Millis } from '../../scheduler/ids.ts'
import type { EventLogLimits, EventLogMetrics, JobEventLog } from '../job-events.ts'
import {
  type ArtifactRecord,
  isTerminal,
  type JobEvent,
  type JobEventBody,
  type JobPatch,
  type JobRecord,
  type JobState,
  type ProgressUnit,
} from '../records.ts'
import type { WithdrawnPreviews } from '../retention.ts'
import { type Store, StoreClosed, type SubmissionOutcome } from '../store.ts'
import { ChangeRing } from './change-ring.ts'
import { changeSource } from './change-source.ts'
import { EventReader } from './event-reader.ts'
import { JobLog } from './job-log.ts'
import { jobSource } from './job-source.ts'
import { type ItemsCommitted, type PreviewSettled, Progress, type ProgressBody } from './progress.ts'
import { Tails } from './tails.ts'

export class EventLog implements JobEventLog {
  readonly #store: Store
  readonly #now: () => Millis
  readonly #limits: EventLogLimits
  readonly #jobs = new Map<JobId, JobLog>()
  readonly #tails: Tails
  readonly #changes: ChangeRing
  /** Jobs whose progress has no number yet. */
  readonly #coalescing = new Set<JobLog>()
  #isTickDue = false
  #uncommittedProgress = 0
  #committedSequence: number

  constructor(store: Store, now: () => Millis, limits: EventLogLimits) {
    this.#store = store
    this.#now = now
    this.#limits = limits
    this.#committedSequence = store.lastSequence()
    this.#changes = new ChangeRing(limits.changesMax, this.#committedSequence)
    this.#tails = new Tails(limits, (job) => {
      if (job.hasEnded) this.#jobs.delete(job.jobId)
    })
    store.onCommit((events) => this.#committed(events))
  }

  submitted(outcome: SubmissionOutcome): void {
    if (outcome.kind !== 'accepted') return
    for (const { record, isNew } of outcome.jobs) if (isNew) this.#follow(record)
  }

  adopt(record: JobRecord): void {
    this.#follow(record)
  }

  changeState(
    record: JobRecord,
    body: JobEventBody,
    to: JobState,
    patch: JobPatch,
    output?: Uint8Array,
    artifacts?: readonly ArtifactRecord[],
  ): Promise<void> {
    const job = this.#follow(record)
    if (isTerminal(job.state)) throw new Error(`Job ${job.jobId} has ended (${job.state}); it cannot become ${to}.`)
    this.#number(job)
    const at = this.#now()
    const whole: JobPatch = { ...(isTerminal(to) ? { finishedAt: at } : null), ...job.unsaved, ...patch, state: to }
    const event = this.#event(job, body, whole.attempt ?? job.attempt, at, { from: job.state, to })
    const written = this.#store.changeJob({
      event,
      patch: whole,
      ...(output && { output }),
      ...(artifacts && { artifacts }),
    })
    job.state = to
    job.attempt = event.attempt
    job.unsaved = {}
    if (body.kind === 'requeued') {
      job.offsets = null
      job.hasPartial = false
    }
    job.hide(event, whole)
    return written
  }

  step(record: JobRecord, item: number, step: number, totalSteps: number): void {
    this.#coalesce(record)?.setStep(item, step, totalSteps)
  }

  text(record: JobRecord, item: number, text: string): void {
    if (text !== '') this.#coalesce(record)?.addText(item, text)
  }

  values(record: JobRecord, values: readonly unknown[], committed?: ItemsCommitted): void {
    if (values.length > 0) this.#coalesce(record)?.addValues(values, committed)
  }

  preview(record: JobRecord, item: number, step: number, artifact: ArtifactRecord, settled: PreviewSettled): void {
    const progress = this.#coalesce(record)
    if (progress) progress.setPreview(item, { step, artifact, settled })
    else settled('dropped')
  }

  withdrawPreviews(record: JobRecord, items: readonly number[]): Promise<WithdrawnPreviews> {
    const job = this.#follow(record)
    // First what waits for its number: the store takes both in this order.
    this.#number(job)
    job.withdrawPreviews(items)
    return this.#store.withdrawPreviews(job.jobId, items)
  }

  progress(
    record: JobRecord,
    counts: { readonly done: number; readonly total: number | null; readonly unit: ProgressUnit },
  ): void {
    this.#coalesce(record)?.setDone(counts.done, counts.total, counts.unit)
  }

  events(jobId: JobId, afterSequence: number | null): AsyncIterableIterator<JobEvent, undefined> {
    return new EventReader(
      jobSource(jobId, () => this.#jobs.get(jobId), this.#store),
      afterSequence ?? 0,
    )
  }

  changes(afterSequence: number | null): AsyncIterableIterator<JobEvent, undefined> {
    const source = changeSource(this.#changes, () => this.#committedSequence, this.#store)
    return new EventReader(source, afterSequence ?? this.#committedSequence)
  }

  committedSequence(): number {
    return this.#committedSequence
  }

  lastSequence(): number {
    return this.#store.lastSequence()
  }

  get metrics(): EventLogMetrics {
    let waitingReaders = this.#changes.waiters.count
    for (const job of this.#jobs.values()) waitingReaders += job.waitingReaders
    return { jobsInMemory: this.#jobs.size, tailBytes: this.#tails.bytes, waitingReaders }
  }

  #follow(record: JobRecord): JobLog {
    const known = this.#jobs.get(record.id)
    const job = known ?? this.#open(record.id, record.state, record.attempt, this.lastSequence())
    if (!known) job.hasPartial = record.firstPartialAt !== null
    job.record ??= record
    if (job.record !== record) throw new Error(`Job ${record.id} is followed already, with another record.`)
    return job
  }

  #open(jobId: JobId, state: JobState, attempt: number, evictedThrough: number): JobLog {
    const job = new JobLog(jobId, state, attempt, evictedThrough)
    this.#jobs.set(jobId, job)
    return job
  }

  /** Null when the job's final state is decided. */
  #coalesce(record: JobRecord): Progress | null {
    const job = this.#follow(record)
    if (isTerminal(job.state)) return null
    job.progress ??= new Progress()
    this.#coalescing.add(job)
    this.#numberSoon()
    return job.progress
  }

  #numberSoon(): void {
    if (this.#isTickDue) return
    this.#isTickDue = true
    setImmediate(() => this.#numberAll())
  }

  /** The end of a tick. While the store is far behind, progress goes on being coalesced instead of piling up. */
  #numberAll(): void {
    this.#isTickDue = false
    for (const job of this.#coalescing) {
      if (this.#uncommittedProgress >= this.#limits.uncommittedProgressMax) return
      this.#number(job)
    }
  }

  /** Makes numbered events of what the job has said. */
  #number(job: JobLog): void {
    const { progress } = job
    if (!progress) return
    job.progress = null
    this.#coalescing.delete(job)
    job.offsets ??= new Map<number, number>()
    const bodies = progress.bodies(job.offsets)
    for (const body of bodies) this.#record(job, body, body === bodies.at(-1) ? progress.patch : {})
    if (bodies.length === 0) {
      job.unsaved = { ...job.unsaved, ...progress.patch }
      job.hide(null, progress.patch)
    }
    this.#release(job)
  }

  #record(job: JobLog, { body, artifacts, committed }: ProgressBody, patch: JobPatch): void {
    const event = this.#event(job, body, job.attempt, this.#now(), { from: null, to: null })
    const isFirstPartial = body.kind !== 'step' && !job.hasPartial
    const whole: JobPatch = isFirstPartial ? { ...patch, firstPartialAt: event.at } : patch
    job.hasPartial ||= isFirstPartial
    const written = this.#store.recordProgress(event, { ...job.unsaved, ...whole }, artifacts)
    job.unsaved = {}
    job.hide(event, whole)
    this.#uncommittedProgress++
    written.then(committed).catch(ignoreClosing)
  }

  #event(
    job: JobLog,
    body: JobEventBody,
    attempt: number,
    at: Millis,
    change: { readonly from: JobState | null; readonly to: JobState | null },
  ): JobEvent {
    return { sequence: this.#store.nextSequence(), jobId: job.jobId, attempt, at, ...change, body }
  }

  /** The events of one commit, in the order of their numbers. */
  #committed(events: readonly JobEvent[]): void {
    for (const event of events) {
      const job = this.#jobs.get(event.jobId) ?? this.#openNew(event)
      if (event.to === null) this.#uncommittedProgress--
      job.committed(event)
      this.#release(job)
      this.#committedSequence = event.sequence
    }
    if (events.some(({ to }) => to !== null)) this.#changes.waiters.wakeAll()
    if (this.#coalescing.size > 0) this.#numberSoon()
  }

  /** A job begins with its JobQueued event, which only the store has seen so far. */
  #openNew(queued: JobEvent): JobLog {
    if (queued.body.kind !== 'queued')
      throw new Error(`Job ${queued.jobId} was forgotten before its ${queued.body.kind}.`)
    const job = this.#open(queued.jobId, 'QUEUED', queued.attempt, 0)
    job.hide(queued, {})
    return job
  }

  #release(job: JobLog): void {
    const bytesBefore = job.tailBytes
    job.release(
      (sequence) => this.#store.isReserved(sequence),
      (event) => {
        if (event.to !== null) this.#changes.push(event)
      },
    )
    if (job.tailBytes === bytesBefore) return
    this.#tails.grown(job, bytesBefore)
    job.wakeReaders()
  }
}

/** Progress that the end of the server overtakes is superseded by the next start. Any other loss is a bug, and ends the process. */
function ignoreClosing(error: unknown): void {
  if (!(error instanceof StoreClosed)) throw error
}
