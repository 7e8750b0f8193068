/** What jobs are told when their model does not load. */
import type { JobFailureCode, RequeueCause } from './commands.ts'
import type { DecisionReason } from './decisions.ts'
import type { WorkerExitCause } from './events.ts'
import { announceLoading, failJob, requeueJob } from './jobs.ts'
import { admissionLimit, deviceOf, isLive, type Job, priorityClasses, type Task, type Version } from './state.ts'
import { decided, type Turn } from './turn.ts'

/** The jobs that could be admitted first are told that their model loads for them. */
export function announceToWaiting(turn: Turn, version: Version): void {
  const loading = version.residencies.find((residency) => residency.state === 'loading' && isLive(residency))
  if (!loading || version.residencies.some((residency) => residency.state === 'resident' && isLive(residency))) return
  const limit = admissionLimit(turn.state, version)
  if (version.loadingJobs.size >= limit) return
  for (const { job } of firstWaiting(version, limit)) {
    version.loadingJobs.add(job)
    if (job.state === 'queued') announceLoading(turn, job, deviceOf(loading))
  }
}

/** Jobs that were shown as loading begin another attempt. `exit`: the end of the worker that was loading. */
export function requeueLoadingJobs(
  turn: Turn,
  version: Version,
  cause: Extract<RequeueCause, 'load_failed' | 'worker_lost' | 'stale_model'>,
  exit: WorkerExitCause | null,
): void {
  const jobs = [...version.loadingJobs]
  version.loadingJobs.clear()
  for (const job of jobs) {
    if (job.state !== 'loading') continue
    requeueJob(turn, job, cause, exit)
    decided(turn, { kind: 'REQUEUE', reason: cause, jobId: job.jobId, versionId: version.spec.versionId })
  }
}

/** No further load is tried for the jobs that wait now; jobs with a place elsewhere go on. */
export function failWaitingJobs(turn: Turn, version: Version, code: JobFailureCode, retryable: boolean): void {
  version.loadFailures = 0
  version.requests = []
  version.rewarm = false
  turn.touched.add(version)
  decided(turn, {
    kind: 'REFUSE',
    reason: refusals[code] ?? 'load_keeps_failing',
    versionId: version.spec.versionId,
  })
  if (version.residencies.some(isLive)) return
  for (const job of waitingJobs(version)) failJob(turn, job, code, retryable, null)
}

const refusals: Readonly<Partial<Record<JobFailureCode, DecisionReason>>> = {
  OUT_OF_MEMORY: 'too_large',
  MODEL_VERSION_GONE: 'stale_model',
}

export function waitingJobs(version: Version): Set<Job> {
  const jobs = new Set<Job>()
  for (const queue of [version.suspects, version.lanes.interactive, version.lanes.batch])
    for (const { job } of queue) jobs.add(job)
  return jobs
}

function firstWaiting(version: Version, count: number): Task[] {
  const tasks = version.suspects.take(count)
  for (const priorityClass of priorityClasses) tasks.push(...version.lanes[priorityClass].take(count - tasks.length))
  return tasks
}
