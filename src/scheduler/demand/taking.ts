/** What a job tells about what is wanted, when it is accepted and before it is routed. */
import { feedPools } from '../eviction/pool.ts'
import type { Millis } from '../ids.ts'
import type { Job, SchedulerState } from '../state.ts'
import { countJob, learnWeights, noteSeeker } from './anticipation.ts'
import { noteRequest } from './demand.ts'
import { fulfilHint } from './hints.ts'
import { noteSession } from './sessions.ts'

export function noteDemand(
  state: SchedulerState,
  job: Pick<Job, 'version' | 'sessionId' | 'userId'>,
  now: Millis,
): void {
  const { anticipation, settings } = state
  const { learnt, spec } = job.version
  learnWeights(anticipation, learnt.demand, settings.anticipationRate, now)
  noteRequest(learnt.demand, countJob(anticipation, now), now)
  const who = whoAsks(job)
  if (who !== null)
    noteSeeker(anticipation, who, spec.versionId, (id) => state.learnt.get(id)?.demand, settings.seekersMax, now)
  if (job.sessionId !== null) noteSession(state, job.sessionId, job.version, now)
  fulfilHint(state, job.version)
  feedPools(state, job.version, now)
}

/** A session where there is one: people do several things at a time. Sessions count downwards, users upwards. */
function whoAsks({ sessionId, userId }: Pick<Job, 'sessionId' | 'userId'>): number | null {
  return sessionId === null ? userId : 0 - Number(sessionId)
}
