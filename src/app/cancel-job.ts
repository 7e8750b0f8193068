/** Cancelling: the wish is durable before it is answered; the state is dropped at the next step. */
import type { JobId } from '../scheduler/ids.ts'
import type { JobRecord } from '../store/records.ts'
import type { AppContext } from './context.ts'
import { Conflict, NotFound } from './errors.ts'

export async function cancelJob(context: AppContext, id: JobId): Promise<JobRecord | NotFound | Conflict> {
  const live = context.live.get(id)
  if (!live) return whenEnded(await context.store.readJob(id), id)
  if (live.record.cancelRequestedAt === null) {
    const now = context.clock.now()
    await context.store.recordCancelRequest(id, now)
    live.record.cancelRequestedAt ??= now
    context.shell.feed({ type: 'cancelRequested', jobId: id })
  }
  return live.record
}

function whenEnded(record: JobRecord | null, id: JobId): JobRecord | NotFound | Conflict {
  if (!record) return new NotFound('Job', String(id))
  if (record.state === 'CANCELLED') return record
  return new Conflict(
    `The job has already ${record.state === 'FAILED' ? 'failed' : 'succeeded'}; there is nothing left to cancel.`,
  )
}
