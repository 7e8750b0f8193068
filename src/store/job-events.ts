/**
 * The event log of all jobs: takes what happens to them, gives each event its number, has it written, and shows it to whoever reads. A state
 * change is shown after its commit; progress at once, unless a state change before it is still being written. A reader is a cursor.
 */
import type { JobId, Millis } from '../scheduler/ids.ts'
import { EventLog } from './event-log/event-log.ts'
import type { ItemsCommitted, PreviewSettled } from './event-log/progress.ts'
import type { TailLimits } from './event-log/tails.ts'
import type { ArtifactRecord, JobEvent, JobEventBody, JobPatch, JobRecord, JobState, ProgressUnit } from './records.ts'
import type { WithdrawnPreviews } from './retention.ts'
import type { Store, SubmissionOutcome } from './store.ts'

export interface JobEventLog {
  /** Follows the new jobs of a submission. Their JobQueued events were published with their commit. */
  submitted(outcome: SubmissionOutcome): void
  /** Follows an unfinished job. From now on `record` is the log's to change, each change after its commit. */
  adopt(record: JobRecord): void

  /**
   * The job's next state. Resolves when it is committed, in `record`, and published. A job that has its final state takes no other.
   * `artifacts`: what the job has made; their files are durable already, and nobody sees them before.
   */
  changeState(
    record: JobRecord,
    body: JobEventBody,
    to: JobState,
    patch: JobPatch,
    output?: Uint8Array,
    artifacts?: readonly ArtifactRecord[],
  ): Promise<void>
  /** Progress of any kind is coalesced until the end of the tick. After the final state it is too late, and dropped. */
  step(record: JobRecord, item: number, step: number, totalSteps: number): void
  text(record: JobRecord, item: number, text: string): void
  /** `committed` hears how many items the log has taken for good: so many more may be sent. */
  values(record: JobRecord, values: readonly unknown[], committed?: ItemsCommitted): void
  /**
   * A picture on its way to its end, whose file is durable: seen after the commit of its row. The newest of an item wins, so `settled` says for each what
   * becomes of its file; at once where a newer one takes its place or the job has ended.
   */
  preview(record: JobRecord, item: number, step: number, artifact: ArtifactRecord, settled: PreviewSettled): void
  /** Nobody may see these pictures on their way either: their previews go, for readers at once. Called before the job's final state. */
  withdrawPreviews(record: JobRecord, items: readonly number[]): Promise<WithdrawnPreviews>
  /** Counts in the record; not an event of its own. */
  progress(
    record: JobRecord,
    counts: { readonly done: number; readonly total: number | null; readonly unit: ProgressUnit },
  ): void

  /** Everything after the cursor (null: from the start), then live; ends after the final event. Who is slow may miss previews that a newer one of the item follows. */
  events(jobId: JobId, afterSequence: number | null): AsyncIterableIterator<JobEvent, undefined>
  /** State changes of all jobs after the cursor (null: from now on), then live; never ends by itself. */
  changes(afterSequence: number | null): AsyncIterableIterator<JobEvent, undefined>
  /** Everything up to this number is in the store, and has been published. */
  committedSequence(): number
  /** The greatest number given out so far. */
  lastSequence(): number
  readonly metrics: EventLogMetrics
}

export interface EventLogMetrics {
  readonly jobsInMemory: number
  /** Bytes of events in memory, about. */
  readonly tailBytes: number
  /** Readers that have everything and wait for more. */
  readonly waitingReaders: number
}

export interface EventLogLimits extends TailLimits {
  /** State changes that readers of `changes` find in memory. */
  readonly changesMax: number
  /** Progress events on their way to the store; more is coalesced further until there is room. */
  readonly uncommittedProgressMax: number
}

const limitsDefault: EventLogLimits = {
  jobBytesMax: 1024 * 1024,
  totalBytesMax: 32 * 1024 * 1024,
  changesMax: 8192,
  uncommittedProgressMax: 2048,
}

export function createEventLog(parts: {
  readonly store: Store
  readonly now: () => Millis
  readonly limits?: Partial<EventLogLimits>
}): JobEventLog {
  return new EventLog(parts.store, parts.now, { ...limitsDefault, ...parts.limits })
}
