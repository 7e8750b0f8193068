/** Submitting: check, build rows and task graphs, commit, tell the scheduler, answer. All or nothing. */
import type { JobSpec } from '../scheduler/events.ts'
import type { JobId, TaskId, VersionId } from '../scheduler/ids.ts'
import type { JobRecord, NewJob, TaskRecord } from '../store/records.ts'
import type { SubmissionOutcome } from '../store/store.ts'
import { announcedWork } from './announced-work.ts'
import type { SubmitJobInput } from './app.ts'
import { missingArtifact } from './artifacts.ts'
import type { CatalogueEntry } from './catalogue.ts'
import type { AppContext } from './context.ts'
import { Conflict, InvalidInput, type ModelTooLarge, type NotFound, Overloaded } from './errors.ts'
import { orOverloaded } from './or-overloaded.ts'
import { type AcceptedRequest, artifactIdsOf } from './request-artifacts.ts'
import { fingerprintOf, jobsSentBefore } from './resend.ts'
import { planTasks, wantedTasks } from './task-graph.ts'
import { type AcceptedSubmission, checkSubmissions } from './validation/submission.ts'

export const jobsPerSubmissionMax = 1000
/** A full queue drains at an unknown rate: callers come back after this. */
const retryWhenFullMs = 1000

type Refusal = InvalidInput | NotFound | Conflict | Overloaded | ModelTooLarge

/** `paths` says how problems name their field: `model` for one job, `jobs.3.model` for a list. */
export async function submitJobs(
  context: AppContext,
  inputs: readonly SubmitJobInput[],
  paths: 'single' | 'list',
): Promise<readonly JobRecord[] | Refusal> {
  if (inputs.length === 0) return new InvalidInput([{ path: 'jobs', message: 'must have at least one job.' }])
  if (inputs.length > jobsPerSubmissionMax)
    return new InvalidInput([
      { path: 'jobs', message: `must have at most ${jobsPerSubmissionMax} jobs; given: ${inputs.length}.` },
    ])
  const prefixes = inputs.map((_, index) => (paths === 'single' ? '' : `jobs.${index}`))
  const accepted = refuseWhenFull(context, inputs.length) ?? (await checkSubmissions(context, inputs, prefixes))
  // What was accepted once stays accepted, however the world has changed since: a resend after a lost answer is what keys are for.
  if ('kind' in accepted) return (await jobsSentBefore(context, inputs)) ?? accepted
  const now = context.clock.now()
  const jobs = accepted.map((submission, index) => buildJob(context, submission, inputs[index] as SubmitJobInput, now))
  return writeJobs(context, jobs)
}

/** A job with the work that its request announces. */
export interface PlannedJob extends NewJob {
  readonly work: number
}

/** Commits jobs that are already checked, and hands them to the scheduler. */
export async function writeJobs(
  context: AppContext,
  jobs: readonly PlannedJob[],
): Promise<readonly JobRecord[] | Conflict | NotFound | Overloaded> {
  const keys = jobs.flatMap(({ record }) => record.idempotencyKey ?? [])
  const outcome = await context.live.whilePending(keys, commit(context, jobs))
  if (outcome instanceof Overloaded) return outcome
  if (outcome.kind === 'conflict') {
    return new Conflict(
      `The idempotency key ${JSON.stringify(jobs[outcome.index]?.record.idempotencyKey)} names a job with another input. Send that input again to get the job, or choose a new key.`,
    )
  }
  if (outcome.kind === 'artifact_missing') return missingArtifact(outcome.artifactId)
  return outcome.jobs.map(({ record }) => context.live.record(record.id) ?? record)
}

async function commit(context: AppContext, jobs: readonly PlannedJob[]): Promise<SubmissionOutcome | Overloaded> {
  const outcome = await orOverloaded(context.store.submitJobs(jobs))
  if (outcome.kind !== 'accepted') return outcome
  const byId = new Map(jobs.map((job) => [job.record.id, job]))
  const specs: JobSpec[] = []
  for (const { record, isNew } of outcome.jobs) {
    const job = isNew ? byId.get(record.id) : undefined
    if (!job || context.live.get(record.id)) continue
    context.live.add(job.record, job.tasks, job.request)
    specs.push(jobSpec(context, job.record, job.tasks, job.work))
  }
  context.log.submitted(outcome)
  if (specs.length > 0) context.shell.feed({ type: 'jobsSubmitted', jobs: specs })
  return outcome
}

/** The scheduler's view of a job. A session that was closed meanwhile counts like any other. */
export function jobSpec(context: AppContext, record: JobRecord, tasks: readonly TaskRecord[], work: number): JobSpec {
  const places = componentPlaces(context, record.versionId)
  const session = record.sessionId === null ? null : context.sessions.get(record.sessionId)
  return {
    jobId: record.id,
    userId: null,
    sessionId: record.sessionId,
    weight: session?.weight ?? 1,
    work,
    class: record.class,
    submittedAt: record.createdAt,
    deadlineAt: record.deadlineAt,
    tasks: tasks.map(({ id, after, stage, isHeld, components }) => ({
      taskId: id,
      versionId: record.versionId,
      after,
      stage,
      isHeld,
      components: components.flatMap((name) => places.get(name) ?? []),
    })),
  }
}

/** None of a version that was removed while the job was written: the scheduler lets nothing run on it. */
function componentPlaces({ catalogue }: AppContext, versionId: VersionId): ReadonlyMap<string, number> {
  const components = catalogue.version(versionId)?.manifest.components ?? []
  return new Map(components.map(({ name }, place) => [name, place]))
}

export function refuseWhenFull(context: AppContext, count: number): Overloaded | null {
  if (context.shell.draining)
    return new Overloaded('draining', retryWhenFullMs, 'The server is shutting down; submit again when it is back.')
  const diskFull = context.artifacts.refusal()
  if (diskFull) return diskFull
  const limit = context.config.HEARTH_QUEUE_LIMIT
  const { count: held } = context.live
  if (held + count <= limit) return null
  const advice = count > limit ? `${count} at once never fit, so split them` : 'submit again later'
  const message = `The queue holds ${held} of at most ${limit} jobs (HEARTH_QUEUE_LIMIT); ${advice}.`
  return new Overloaded('queue', retryWhenFullMs, message)
}

function buildJob(context: AppContext, submission: AcceptedSubmission, input: SubmitJobInput, now: number): PlannedJob {
  const { entry, session, taskKind, request } = submission
  if (session) context.sessions.touch(session.id, now)
  const record = newRecord(context, entry, {
    taskKind,
    sessionId: session?.id ?? null,
    class: input.priorityClass ?? session?.class ?? 'interactive',
    idempotencyKey: input.idempotencyKey ?? null,
    retryOf: null,
    createdAt: now,
    deadlineAt: input.deadline ?? null,
  })
  const fingerprint = record.idempotencyKey === null ? '' : fingerprintOf(input)
  return {
    record,
    request: JSON.stringify(request),
    fingerprint,
    tasks: buildTasks(context, record.id, entry, request),
    artifactIds: artifactIdsOf(request),
    work: announcedWork(request),
  }
}

type Given = Pick<
  JobRecord,
  'taskKind' | 'sessionId' | 'class' | 'idempotencyKey' | 'retryOf' | 'createdAt' | 'deadlineAt'
>

export function newRecord(context: AppContext, entry: CatalogueEntry, given: Given): JobRecord {
  return {
    id: context.ids.job(),
    modelId: entry.model.id,
    versionId: entry.version.id,
    ...given,
    state: 'QUEUED',
    attempt: 0,
    failedAttempts: 0,
    deathsAlone: 0,
    cancelRequestedAt: null,
    pauseRequestedAt: null,
    pauseCause: null,
    pausedAt: null,
    pausedMs: 0,
    pausedWaitingMs: 0,
    deviceId: null,
    loadingAt: null,
    startedAt: null,
    firstPartialAt: null,
    postprocessingAt: null,
    finishedAt: null,
    progressDone: 0,
    progressTotal: null,
    progressUnit: null,
    failure: null,
  }
}

/** What of the manifest's graph the request wants, as tasks with ids of their own. */
export function buildTasks(
  { ids }: AppContext,
  jobId: JobId,
  { manifest }: CatalogueEntry,
  request: AcceptedRequest,
): TaskRecord[] {
  const planned = planTasks(manifest.graph, wantedTasks(request)).map((task) => ({ ...task, id: ids.task() }))
  return planned.map(({ after, ...task }) => ({
    ...task,
    jobId,
    after: after.map((place) => planned[place]?.id as TaskId),
  }))
}
