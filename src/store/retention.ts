/** What is deleted in a step of tidying up, and what came of it. */
import type { JobId, Millis } from '../scheduler/ids.ts'

export interface JobRetention {
  /** Where the step before ended; 0 = the first of a round. */
  readonly afterId: number
  readonly endedBefore: Millis
  /** The same while the database holds more than `bytesMax`. */
  readonly endedBeforeIfFull: Millis
  readonly bytesMax: number
}
export interface DeletedJobs {
  readonly jobs: readonly JobId[]
  /** Contents that no artifact has any more, with their sizes: their files may go. */
  readonly contents: readonly (readonly [sha256: string, sizeBytes: number])[]
  /** The greatest number among the state changes that went; 0 = none. */
  readonly deletedSequence: number
  /** Where the next step goes on. */
  readonly nextId: number
  /** There is nothing further to delete in this round. */
  readonly isDone: boolean
}

export interface HistoryRetention {
  /** Decisions, and closed allocations, that are kept at most: so many of each. */
  readonly rowsMax: number
  readonly before: Millis
}

export interface ArtifactRetention {
  readonly usedBefore: Millis
  /** The same while `bytesToFree` bytes of files are too many. */
  readonly usedBeforeIfFull: Millis
  readonly bytesToFree: number
}
/** Contents that no artifact has any more, as in `DeletedJobs`. */
export type WithdrawnPreviews = DeletedJobs['contents']
export type DeletedArtifacts = Pick<DeletedJobs, 'contents' | 'isDone'> & { readonly deleted: number }
