/** Retrying: a new job with the same request, of the same version of the model, under the settings as they are now. */
import type { JobId } from '../scheduler/ids.ts'
import { type ArtifactId, isTerminal, type JobRecord } from '../store/records.ts'
import { announcedWork } from './announced-work.ts'
import type { CatalogueEntry } from './catalogue.ts'
import type { AppContext } from './context.ts'
import { Conflict, NotFound, type Overloaded } from './errors.ts'
import { type AcceptedRequest, artifactIdsOf } from './request-artifacts.ts'
import { buildTasks, newRecord, refuseWhenFull, writeJobs } from './submit-jobs.ts'
import { pictureTerms, withoutChecker } from './validation/picture-terms.ts'

export async function retryJob(context: AppContext, id: JobId): Promise<JobRecord | NotFound | Conflict | Overloaded> {
  const old = context.live.record(id) ?? (await context.store.readJob(id))
  if (!old) return new NotFound('Job', id)
  if (!isTerminal(old.state))
    return new Conflict(
      `The job is ${old.state}; only a job that has ended can be retried. Wait for its end, or cancel it first.`,
    )
  const entry = context.catalogue.version(old.versionId)
  if (!entry?.spec)
    return new Conflict(
      'The version of the model that the job ran on is no longer here; submit it again with the model as it is now.',
    )
  const full = refuseWhenFull(context, 1)
  if (full) return full
  const unchecked = withoutChecker(entry.manifest, context.config.HEARTH_SAFETY_POLICY)
  if (unchecked) return unchecked
  const text = await context.store.readRequest(id)
  if (text === null) return new Conflict('The request of the job is no longer kept; submit it again.')
  const kept: AcceptedRequest = JSON.parse(text)
  const accepted = underTermsOfNow(context, old, entry, kept)
  const artifactIds = artifactIdsOf(accepted)
  const gone = await firstGone(context, artifactIds)
  if (gone !== null)
    return new Conflict(
      `Input ${gone + 1} of ${artifactIds.length} that the job took as an artifact is no longer kept. Upload it again, and submit the job with the new id.`,
    )
  const session = old.sessionId === null ? null : context.sessions.get(old.sessionId)
  const record = newRecord(context, entry, {
    taskKind: old.taskKind,
    sessionId: session?.id ?? null,
    class: old.class,
    idempotencyKey: null,
    retryOf: id,
    createdAt: context.clock.now(),
    deadlineAt: null,
  })
  const written = await writeJobs(context, [
    {
      record,
      request: JSON.stringify(accepted),
      fingerprint: '',
      tasks: buildTasks(context, record.id, entry, accepted),
      artifactIds,
      work: announcedWork(accepted),
    },
  ])
  return Array.isArray(written) ? (written[0] as JobRecord) : (written as Conflict | NotFound | Overloaded)
}

/** A policy that has become stricter holds for everything that is made from now on; previews were asked for by the caller. */
function underTermsOfNow(
  { config }: AppContext,
  { taskKind }: JobRecord,
  { manifest }: CatalogueEntry,
  request: AcceptedRequest,
): AcceptedRequest {
  if (!request.terms) return request
  const terms = pictureTerms(taskKind, manifest, config, request.terms.previews)
  return terms ? { ...request, terms } : request
}

/** The place of the first artifact that retention has removed; null when all are here. */
async function firstGone({ artifacts }: AppContext, ids: readonly ArtifactId[]): Promise<number | null> {
  for (const [place, id] of ids.entries()) if (!(await artifacts.find(id))) return place
  return null
}
