/** Pausing and going on: the wish is durable before it is answered, and takes effect at the next step. */
import type { JobId, Millis } from '../scheduler/ids.ts'
import { isTerminal, type JobRecord } from '../store/records.ts'
import type { AppContext } from './context.ts'
import { alreadyEnded } from './ended-job.ts'
import { Conflict, type NotFound, type Overloaded } from './errors.ts'
import { orOverloaded } from './or-overloaded.ts'

type Answer = JobRecord | NotFound | Conflict | Overloaded

/** The latest wish about each live job. */
const latestWishes = new WeakMap<JobRecord, Promise<Answer>>()

/** Pausing what is paused, or about to be, succeeds. */
export function pauseJob(context: AppContext, id: JobId): Promise<Answer> {
  return inTurn(context, id, () => pause(context, id))
}

export function resumeJob(context: AppContext, id: JobId): Promise<Answer> {
  return inTurn(context, id, () => resume(context, id))
}

/** While a wish is written the record does not show it yet, so the next one about the job waits and is judged by what has become of it. */
function inTurn({ live }: AppContext, id: JobId, wish: () => Promise<Answer>): Promise<Answer> {
  const record = live.get(id)?.record
  if (!record) return wish()
  const before = latestWishes.get(record)
  const answer = before ? before.then(wish, wish) : wish()
  latestWishes.set(record, answer)
  return answer
}

async function pause(context: AppContext, id: JobId): Promise<Answer> {
  const record = context.live.get(id)?.record
  if (!record) return alreadyEnded(await context.store.readJob(id), id, 'pause')
  if (record.cancelRequestedAt !== null)
    return new Conflict('The job is being cancelled; there is nothing left to pause.')
  if (record.pauseRequestedAt !== null) return record
  const refused = await recordWish(context, record, context.clock.now())
  if (refused) return refused
  context.shell.feed({ type: 'pauseRequested', jobId: id, cause: 'requested' })
  return isTerminal(record.state) ? alreadyEnded(record, id, 'pause') : record
}

async function resume(context: AppContext, id: JobId): Promise<Answer> {
  const record = context.live.get(id)?.record
  if (!record) return alreadyEnded(await context.store.readJob(id), id, 'resume')
  if (record.pauseRequestedAt === null && record.state !== 'PAUSED')
    return new Conflict(`The job is ${record.state}, and nobody has asked to pause it; there is nothing to resume.`)
  const refused = await recordWish(context, record, null)
  if (refused) return refused
  context.shell.feed({ type: 'resumeRequested', jobId: id })
  return isTerminal(record.state) ? alreadyEnded(record, id, 'resume') : record
}

/** `at`: since when it is to be paused; null = it is to go on. */
async function recordWish({ store }: AppContext, record: JobRecord, at: Millis | null): Promise<Overloaded | null> {
  const refused = await orOverloaded(store.recordPauseRequest(record.id, at))
  if (refused) return refused
  record.pauseRequestedAt = at
  return null
}
