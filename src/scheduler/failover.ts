/**
 * What becomes of the tasks of a worker that died. What had not started returns to its place without blame. What had started was in the fatal step:
 * each of these is suspect and is retried alone, before others. Only a death while alone counts against a job; two of them end it. A worker that
 * was asked to go leaves no suspects. Requeued tasks keep their order, so they are ahead of what came later.
 */
import type { WorkerExitCause } from './events.ts'
import type { Millis, WorkerId } from './ids.ts'
import { cancelIfGone, failJob, forgetAbandoned, requeueJob, returnTask } from './jobs.ts'
import { requeueLoadingJobs } from './load-failures.ts'
import { endResidency, giveUpOrWait } from './loading.ts'
import { endAlone, leave } from './membership.ts'
import type { LiveResidency, SchedulerState, Task, Worker } from './state.ts'
import type { Turn } from './turn.ts'
import { removeWorker } from './workers.ts'

type Verdict = 'innocent' | 'suspect' | 'guilty'

export function loseWorker(turn: Turn, workerId: WorkerId, cause: WorkerExitCause): void {
  const worker = turn.state.workers.get(workerId)
  if (!worker) return
  const wasAsked = cause === 'requested' || worker.state === 'stopping'
  const judge = wasAsked ? () => 'innocent' as const : judgeOf(turn.state, worker)
  const verdicts = [...worker.tasks].map((task) => ({ task, verdict: judge(task) }))
  for (const { task, verdict } of verdicts) moveOn(turn, task, verdict, cause)
  endAlone(turn, worker)
  for (const residency of worker.residencies.values()) loseResidency(turn, residency, wasAsked, cause)
  removeWorker(turn, worker, cause)
}

/** The verdict on each task of a worker that died; asked before any of them leaves it. */
function judgeOf(state: SchedulerState, worker: Worker): (task: Task) => Verdict {
  const tasks = [...worker.tasks]
  const isLoading = [...worker.residencies.values()].some((residency) => residency.state === 'loading')
  const anyStarted = tasks.some(({ startedAt }) => startedAt !== null)
  const isAlone = tasks.length === 1 && !isLoading
  return (task) => {
    if (isAlone && (task.startedAt !== null || worker.alone === task)) return 'guilty'
    if (task.startedAt !== null || worker.alone === task) return 'suspect'
    if (anyStarted || isLoading) return 'innocent'
    // It may have died in a step too short to be reported; were these tasks never suspected, they could kill worker after worker.
    task.unstartedDeaths += 1
    return task.unstartedDeaths >= state.settings.unstartedDeathLimit ? 'suspect' : 'innocent'
  }
}

function moveOn(turn: Turn, task: Task, verdict: Verdict, exit: WorkerExitCause): void {
  const { job, startedAt } = task
  const { attemptLimit, quarantineDeaths } = turn.state.settings
  if (task.state === 'abandoned') return forgetAbandoned(turn, task)
  leave(turn, task)
  if (job.cancelRequested) return cancelIfGone(turn, job)
  if (verdict === 'guilty') {
    job.deathsAlone += 1
    job.failedAttempts += 1
    if (job.deathsAlone >= quarantineDeaths) return failJob(turn, job, 'QUARANTINED', false, task)
    if (job.failedAttempts >= attemptLimit) return failJob(turn, job, 'WORKER_LOST', true, task)
  }
  // What users were shown as going on begins again; a job that was only waiting still waits.
  if (verdict === 'guilty' || job.state === 'loading' || (job.state === 'running' && startedAt !== null))
    requeueJob(turn, job, 'worker_lost', exit)
  returnTask(
    turn,
    task,
    verdict === 'innocent' ? (exit === 'requested' ? 'worker_stopped' : 'worker_lost') : 'suspect',
    verdict !== 'innocent',
  )
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
