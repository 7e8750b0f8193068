/** What main thread and writer thread say to each other. Batches are answered in the order in which they were sent. */
import type { Millis } from '../../scheduler/ids.ts'
import type { Refusal } from '../opening/errors.ts'
import type { OpeningRows } from '../opening/read-opening.ts'
import type { BatchResults } from './apply-batch.ts'
import type { Primitive } from './message-values.ts'

export interface WriterSettings {
  readonly folder: string
  readonly migrationsFolder: string
  readonly startedAt: Millis
}

export type ToWriter =
  | { readonly type: 'batch'; readonly values: readonly Primitive[] }
  /** The database may grow to so many bytes; null = as the disk allows. */
  | { readonly type: 'limitDatabase'; readonly bytes: number | null }
  | { readonly type: 'close' }

export type FromWriter =
  | { readonly type: 'opened'; readonly opening: OpeningRows }
  | { readonly type: 'refused'; readonly refusal: Refusal }
  /** Null: every operation went well and has nothing to say. */
  | { readonly type: 'committed'; readonly outcome: BatchResults | null }
  /** The oldest batch could not be committed; it is tried again by itself. */
  | { readonly type: 'trouble'; readonly message: string; readonly retryInMs: number }
  /** `lostBatches` could not be committed to the last. */
  | { readonly type: 'closed'; readonly lostBatches: number }
