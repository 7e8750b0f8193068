/** Cancelling: the wish is durable before it is answered; the state is dropped at the next step. A result that waits for room is given up. */
import type { JobId } from '../scheduler/ids.ts'
import { isTerminal, type JobRecord } from '../store/records.ts'
import type { AppContext } from './context.ts'
import { alreadyEnded } from './ended-job.ts'
import type { Conflict, NotFound, Overloaded } from './errors.ts'
import { orOverloaded } from './or-overloaded.ts'

export async function cancelJob(context: AppContext, id: JobId): Promise<JobRecord | NotFound | Conflict | Overloaded> {
  const live = context.live.get(id)
  if (!live) return whenEnded(await context.store.readJob(id), id)
  if (live.record.cancelRequestedAt === null) {
    const now = context.clock.now()
    const recorded = await orOverloaded(context.store.recordCancelRequest(id, now))
    if (recorded) return recorded
    live.record.cancelRequestedAt ??= now
    context.shell.feed({ type: 'cancelRequested', jobId: id })
  }
  context.artifacts.giveUp(id)
  // It may have ended while the wish was written.
  if (isTerminal(live.record.state)) return whenEnded(live.record, id)
  return live.record
}

/** Cancelling what is cancelled succeeds. */
function whenEnded(record: JobRecord | null, id: JobId): JobRecord | NotFound | Conflict {
  return record?.state === 'CANCELLED' ? record : alreadyEnded(record, id, 'cancel')
}
