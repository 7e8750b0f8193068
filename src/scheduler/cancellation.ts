/** Cancelling: what waits ends at once; what a worker has ends when the worker has dropped it, unless it was done before. */
import type { JobId } from './ids.ts'
import { cancelIfGone, dequeue, dropAtWorker } from './jobs.ts'
import type { Turn } from './turn.ts'

export function cancelJob(turn: Turn, jobId: JobId): void {
  const job = turn.state.jobs.get(jobId)
  if (!job || job.cancelRequested) return
  job.cancelRequested = true
  for (const task of job.tasks) {
    if (task.state === 'waiting' || task.state === 'suspect') {
      dequeue(turn, task)
      task.state = 'blocked'
    } else {
      dropAtWorker(turn, task)
    }
  }
  cancelIfGone(turn, job)
}
