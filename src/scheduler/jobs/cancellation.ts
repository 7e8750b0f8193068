/** Cancelling: what waits ends at once; what a worker has ends when the worker has dropped it, unless it was done before. */

import { dequeueAll } from '../admission/lanes.ts'
import type { JobId } from '../ids.ts'
import type { Turn } from '../turn.ts'
import { cancelIfGone, dropAtWorker } from './jobs.ts'

export function cancelJob(turn: Turn, jobId: JobId): void {
  const { jobs, deadlines } = turn.state
  const job = jobs.get(jobId)
  if (!job || job.cancelRequested) return
  job.cancelRequested = true
  // Its end is on the way, also where a paused task watched over nothing.
  if (job.deadlineSlot >= 0) deadlines.removeAt(job.deadlineSlot)
  dequeueAll(turn, job)
  for (const task of job.tasks) {
    dropAtWorker(turn, task)
    // It stays nowhere any more, and is not told again.
    if (task.state === 'paused') task.state = 'recalled'
  }
  cancelIfGone(turn, job)
}
