/**
 * What becomes of the tasks of a worker that died. What had not started returns to its place without blame, and so does what was paused there. What had
 * started was in the fatal step: each of these is suspect and is retried alone, before others. Only a death while alone counts against a job; two of
 * them end it. A worker that was asked to go leaves no suspects. Outputs that it held are made again, and tasks go on from their checkpoints.
 * Requeued tasks keep their order, so they are ahead of what came later.
 */
import { endAlone } from '../admission/alone.ts'
import { leave } from '../admission/membership.ts'
import { goOn } from '../admission/next-tasks.ts'
import type { RequeueCause } from '../commands.ts'
import type { WorkerExitCause } from '../events.ts'
import type { Millis, WorkerId } from '../ids.ts'
import { fallBack } from '../jobs/checkpoints.ts'
import { leaveHome } from '../jobs/homes.ts'
import { failJob, forgetAbandoned, requeueJob } from '../jobs/jobs.ts'
import { giveUpOrWait, requeueLoadingJobs } from '../memory/load-failures.ts'
import { endResidency } from '../memory/loading.ts'
import type { Job, LiveResidency, SchedulerState, Task, Worker } from '../state.ts'
import { decided, type Turn } from '../turn.ts'
import { removeWorker } from '../workers/workers.ts'

type Loss = Extract<RequeueCause, 'worker_lost' | 'device_lost'>
type Verdict = 'innocent' | 'suspect' | 'guilty'

export function loseWorker(turn: Turn, workerId: WorkerId, cause: WorkerExitCause): void {
  const worker = turn.state.workers.get(workerId)
  if (!worker) return
  const wasAsked = cause === 'requested' || worker.state === 'stopping'
  const judge = wasAsked ? () => 'innocent' as const : judgeOf(turn.state, worker)
  const verdicts = [...worker.tasks].map((task) => ({ task, verdict: judge(task) }))
  const jobs = new Set([...worker.residencies.values()].flatMap((residency) => [...residency.jobs]))
  const lost = worker.slot.device.isLost ? 'device_lost' : 'worker_lost'
  for (const { task, verdict } of verdicts) blame(turn, task, verdict, lost, cause)
  endAlone(turn, worker)
  for (const job of jobs) if (turn.state.jobs.has(job.jobId)) moveOn(turn, job, lost, cause)
  for (const residency of worker.residencies.values()) loseResidency(turn, residency, wasAsked, cause)
  removeWorker(turn, worker, cause)
}

/** The verdict on each task of a worker that died; asked before any of them leaves it. */
function judgeOf(state: SchedulerState, worker: Worker): (task: Task) => Verdict {
  const tasks = [...worker.tasks].filter(({ pausedState }) => pausedState === null)
  const isLoading = [...worker.residencies.values()].some((residency) => residency.state === 'loading')
  const anyStarted = tasks.some(({ startedAt }) => startedAt !== null)
  const isAlone = tasks.length === 1 && !isLoading
  return (task) => {
    if (task.pausedState) return 'innocent'
    if (isAlone && (task.startedAt !== null || worker.alone === task)) return 'guilty'
    if (task.startedAt !== null || worker.alone === task) return 'suspect'
    if (anyStarted || isLoading) return 'innocent'
    // It may have died in a step too short to be reported; were these tasks never suspected, they could kill worker after worker.
    task.unstartedDeaths += 1
    return task.unstartedDeaths >= state.settings.unstartedDeathLimit ? 'suspect' : 'innocent'
  }
}

/** The task has left the worker; its job is still where it was. */
function blame(turn: Turn, task: Task, verdict: Verdict, lost: Loss, exit: WorkerExitCause): void {
  const { job, startedAt } = task
  const { attemptLimit, quarantineDeaths } = turn.state.settings
  if (task.state === 'abandoned') return forgetAbandoned(turn, task)
  leave(turn, task)
  const isAnyLost = fallBack(task)
  if (job.cancelRequested) return
  if (verdict === 'guilty') {
    job.deathsAlone += 1
    job.failedAttempts += 1
    if (job.deathsAlone >= quarantineDeaths) return failJob(turn, job, 'QUARANTINED', false, task)
    if (job.failedAttempts >= attemptLimit) return failJob(turn, job, 'WORKER_LOST', true, task)
  }
  if (verdict !== 'innocent') task.isSuspect = true
  // What users were shown as going on begins again; a job that was only waiting still waits, and a paused one is told when it goes on.
  if (verdict === 'guilty' || job.state === 'loading' || (job.state === 'running' && startedAt !== null))
    requeueJob(turn, job, lost, exit)
  else if (job.state === 'paused' && isAnyLost) job.setback ??= lost
  const reason = verdict !== 'innocent' ? 'suspect' : exit === 'requested' ? 'worker_stopped' : lost
  decided(turn, { kind: 'REQUEUE', reason, jobId: job.jobId, versionId: job.version.spec.versionId })
}

function moveOn(turn: Turn, job: Job, lost: Loss, exit: WorkerExitCause): void {
  leaveHome(turn, job, lost, exit)
  goOn(turn, job)
}

function loseResidency(turn: Turn, residency: LiveResidency, wasAsked: boolean, cause: WorkerExitCause): void {
  const { version, state, loadedAt, ending } = residency
  endResidency(turn, residency, 'worker_lost')
  if (state === 'loading') {
    requeueLoadingJobs(turn, version, 'worker_lost', cause)
    if (!wasAsked) giveUpOrWait(turn, version, 'WORKER_LOST', true)
  } else if (ending === null) {
    version.rewarm = isWorthRewarming(residency.worker, loadedAt)
  }
}

/** A model that dies again and again as soon as it is there is not brought back for its own sake. */
function isWorthRewarming({ slot }: Worker, loadedAt: Millis | null): boolean {
  return loadedAt !== null && slot.deaths === 0
}
