/**
 * What becomes of a load that does not succeed, and of the jobs that wait for it. Tasks that were admitted because their components were there already
 * are recalled, and go back as after any other loss; what is left of the load ends when the worker has dropped them.
 */

import { goOn } from '../admission/next-tasks.ts'
import type { JobFailureCode, RequeueCause } from '../commands.ts'
import type { TaskFailureCode, WorkerExitCause } from '../events.ts'
import type { DecisionReason } from '../explain/decisions.ts'
import type { VersionId, WorkerId } from '../ids.ts'
import { fallBack } from '../jobs/checkpoints.ts'
import { recall, uproot } from '../jobs/homes.ts'
import { announceLoading, failJob, requeueJob, setBackJob } from '../jobs/jobs.ts'
import {
  type Device,
  deviceOf,
  isLive,
  type Job,
  type Lanes,
  type LiveResidency,
  priorityClasses,
  type Task,
  type Version,
} from '../state.ts'
import { decided, setAlarm, type Turn } from '../turn.ts'
import { tellResidency } from '../workers/worker-words.ts'
import { endLoad, loadingResidency, unloadIfIdle } from './loading.ts'

export function takeLoadFailure(
  turn: Turn,
  event: {
    readonly workerId: WorkerId
    readonly versionId: VersionId
    readonly code: TaskFailureCode
    readonly retryable: boolean
  },
): void {
  const residency = loadingResidency(turn.state, event.workerId, event.versionId)
  if (!residency) return
  failLoad(turn, residency, 'load_failed')
  const code = event.code === 'out_of_memory' ? 'OUT_OF_MEMORY' : 'ENGINE_ERROR'
  giveUpOrWait(turn, residency.version, code, event.retryable)
  unloadIfIdle(turn, residency)
}

/** Jobs that were at home there, or shown as loading, begin another attempt. */
export function failLoad(
  turn: Turn,
  residency: LiveResidency,
  cause: Extract<RequeueCause, 'load_failed' | 'stale_model'>,
): void {
  const { version, worker } = residency
  residency.ending = 'load_failed'
  residency.state = 'evicting'
  endLoad(turn, residency)
  const uprooted = uproot(turn, residency)
  for (const task of worker.tasks) {
    const isThere = task.residency === residency && task.state !== 'recalled' && task.state !== 'abandoned'
    if (!isThere || task.job.cancelRequested) continue
    fallBack(task)
    recall(turn, task)
  }
  if (residency.admitted + residency.parked > 0) tellResidency(turn, residency)
  requeueLoadingJobs(turn, version, cause, null)
  for (const job of uprooted) {
    if (job.state === 'running') setBackJob(turn, job, cause, null)
    goOn(turn, job)
  }
}

/** After a failed load: another try after a while, or the end of the jobs that wait. */
export function giveUpOrWait(turn: Turn, version: Version, code: JobFailureCode, retryable: boolean): void {
  const { loadAttemptLimit, loadBackoffMs } = turn.state.settings
  version.loadFailures += 1
  version.notBefore = turn.now + (loadBackoffMs[version.loadFailures - 1] ?? loadBackoffMs.at(-1) ?? 0)
  setAlarm(turn.state, version.notBefore)
  if (!retryable || version.loadFailures >= loadAttemptLimit) failWaitingJobs(turn, version, code, retryable)
}

/** The jobs that could be admitted first are told that their model loads for them. */
export function announceToWaiting(turn: Turn, version: Version): void {
  const loading = version.residencies.find((residency) => residency.state === 'loading' && isLive(residency))
  if (!loading || version.residencies.some((residency) => residency.state === 'resident' && isLive(residency))) return
  // As many as a worker may hold; how many share a step there is learnt when it is there.
  const limit = turn.state.settings.admitAheadFactor * version.spec.batchLimit
  if (version.loadingJobs.size >= limit) return
  for (const { job } of firstWaiting(version, deviceOf(loading), limit)) {
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

/** Also those that a load which has failed still has to let go of. */
export function waitingJobs(version: Version): Set<Job> {
  const jobs = new Set<Job>()
  for (const queue of [
    version.suspects,
    ...allLanes(version).flatMap(({ interactive, batch }) => [interactive, batch]),
  ])
    for (const { job } of queue) jobs.add(job)
  for (const residency of version.residencies) {
    if (residency.ending !== 'load_failed') continue
    for (const job of residency.jobs) if (job.state !== 'paused' && !job.cancelRequested) jobs.add(job)
  }
  return jobs
}

function allLanes({ lanes, bound }: Version): Lanes[] {
  return [lanes, ...[...bound.values()].map((each) => each.lanes)]
}

function firstWaiting(version: Version, device: Device, count: number): Task[] {
  const tasks = version.suspects.take(count)
  for (const priorityClass of priorityClasses)
    for (const lanes of [version.lanes, version.bound.get(device)?.lanes])
      if (lanes && tasks.length < count) tasks.push(...lanes[priorityClass].take(count - tasks.length))
  return tasks
}
