/** What is answered to a wish about a job that is not live any more. */
import type { JobId } from '../scheduler/ids.ts'
import type { JobRecord } from '../store/records.ts'
import { Conflict, NotFound } from './errors.ts'

const ends: Partial<Record<JobRecord['state'], string>> = {
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'been cancelled',
}

export function alreadyEnded(
  record: JobRecord | null,
  id: JobId,
  wish: 'cancel' | 'pause' | 'resume',
): NotFound | Conflict {
  if (!record) return new NotFound('Job', id)
  return new Conflict(`The job has already ${ends[record.state] ?? 'ended'}; there is nothing left to ${wish}.`)
}
