/** Why a job waits, in words that a user understands, from the state as it is now. */
import { isOpen } from '../admission/admission.ts'
import { batchLimitAt } from '../batching/step-policy.ts'
import type { PauseCause } from '../events.ts'
import type { Millis } from '../ids.ts'
import { compareTurns } from '../queues/ordered-queue.ts'
import {
  deviceOf,
  isLive,
  type Job,
  type LiveResidency,
  type SchedulerState,
  type Task,
  type Version,
} from '../state.ts'
import { isWithoutLease } from '../workers/leases.ts'
import { jobsAre, seconds } from './amounts.ts'
import { nextTask, tasksAhead } from './estimate.ts'
import type { WaitReason } from './wait-code.ts'
import { waitForLoad } from './wait-for-load.ts'
import { waitWhereBound } from './wait-where-bound.ts'

export function waitReason(state: SchedulerState, job: Job, now: Millis): WaitReason {
  if (job.state === 'paused') return paused(state, job, now)
  const task = nextTask(job)
  if (!task) return betweenTasks(job)
  if (task.residency) return atWorker(state, task, task.residency)
  if (state.draining)
    return { code: 'SERVER_RECOVERING', reason: 'The server is stopping; the job goes on after its restart.' }
  if (state.devices.size === 0) return { code: 'NO_DEVICE', reason: 'No device is known yet.' }
  if ([...state.devices.values()].every(({ isLost }) => isLost))
    return { code: 'NO_DEVICE', reason: 'Every device is lost; the job goes on when one of them is back.' }
  if (state.recovering)
    return { code: 'SERVER_RECOVERING', reason: 'The server has restarted and its engines are starting.' }
  const { version } = task
  if (job.boundTo && !job.home) return waitWhereBound(state, task, job.boundTo, now)
  if (version.residencies.some(({ state: life, ending }) => life === 'resident' && ending === null))
    return atResident(state, task, version)
  return waitForLoad(state, version, now, null)
}

function paused({ preemption }: SchedulerState, job: Job, now: Millis): WaitReason {
  const { tasks, pauseCause } = job
  const { because, until: end } = pauseWords[pauseCause ?? 'requested']
  const resumeAt = preemption.jobs.get(job)?.resumeAt ?? null
  const until = resumeAt === null ? end : `in ${seconds(Math.max(0, resumeAt - now))}`
  const holder = tasks.find(({ pausedState }) => pausedState)?.residency
  if (holder) {
    const reason = `It was paused ${because}. ${deviceOf(holder).spec.name} keeps its state, and it goes on from there ${until}.`
    return { code: 'PAUSED', reason }
  }
  const from = tasks.some(({ checkpointStep }) => checkpointStep !== null)
    ? ' It then goes on from its checkpoint.'
    : ''
  return { code: 'PAUSED', reason: `It was paused ${because}, and waits for a place again ${until}.${from}` }
}

const pauseWords: Readonly<Record<PauseCause, { readonly because: string; readonly until: string }>> = {
  requested: { because: 'on request', until: 'when it is resumed' },
  interactive_work: { because: 'because interactive work needs its place', until: 'when that is done' },
  memory_pressure: { because: 'because memory is short', until: 'when that is over' },
}

/** None of its tasks waits for a place. */
function betweenTasks({ pauseCause, home }: Job): WaitReason {
  if (pauseCause !== null) {
    const why =
      pauseCause === 'requested' ? 'It was asked to pause' : `It is to pause ${pauseWords[pauseCause].because}`
    return { code: 'PAUSED', reason: `${why}, and does so after its running step.` }
  }
  if (home && !isLive(home)) {
    const { modelName } = home.version.spec
    const reason = `${modelName} is being unloaded from ${deviceOf(home).spec.name}; the job goes on when it is loaded again.`
    return { code: 'MODEL_LOADING', reason }
  }
  return { code: 'BEHIND_OTHERS', reason: 'Another part of the job runs first.' }
}

/** It is admitted; the worker composes its steps. */
function atWorker({ settings }: SchedulerState, task: Task, residency: LiveResidency): WaitReason {
  const { version } = residency
  const { modelName, holdMs } = version.spec
  const device = deviceOf(residency).spec.name
  if (isWithoutLease(residency.worker)) {
    const share = `${settings.batchSliceMs} ms of every ${seconds(settings.leaseSliceMs)}`
    const reason = `Interactive work of another engine has the cores of ${device}; batch work gets ${share} until that is done.`
    return { code: 'BEHIND_OTHERS', reason }
  }
  const ahead = tasksAhead(task)
  if (ahead + residency.running >= batchLimitAt(residency)) {
    const running = `${jobsAre(residency.running)} running in ${modelName} on ${device}`
    return {
      code: 'BEHIND_OTHERS',
      reason: ahead === 0 ? `It is next; ${running}.` : `${jobsAre(ahead)} ahead; ${running}.`,
    }
  }
  const reason =
    holdMs > 0 && residency.running === 0
      ? `It waits up to ${holdMs} ms for others to share its step on ${device}.`
      : `It joins the next step of ${modelName} on ${device}.`
  return { code: 'BATCH_FORMING', reason }
}

/** The model is there and has as much work as it can take. */
function atResident(state: SchedulerState, task: Task, version: Version): WaitReason {
  const { modelName } = version.spec
  const ahead = tasksAhead(task)
  const running = version.residencies.reduce((sum, residency) => sum + residency.running, 0)
  const others = `${jobsAre(ahead)} ahead; ${jobsAre(running)} running in ${modelName}.`
  if (task.state === 'suspect')
    return { code: 'BEHIND_OTHERS', reason: `A worker died while the job ran, so it is tried again alone. ${others}` }
  const silent = version.residencies.find(({ worker }) => worker.isSuspected)
  if (silent && !version.residencies.some(isOpen)) {
    const reason = `The worker on ${deviceOf(silent).spec.name} does not answer; the job goes on when it does, or when another has taken its place.`
    return { code: 'NO_DEVICE', reason }
  }
  if (!version.residencies.some(isOpen))
    return { code: 'BEHIND_OTHERS', reason: `A job that a worker died with runs alone first. ${others}` }
  return turnOfOthers(state, task, others) ?? { code: 'BEHIND_OTHERS', reason: others }
}

const turnsLookedAt = 20

/** Somebody who came later goes first, because whoever this job belongs to has had its share for now. */
function turnOfOthers({ jobs }: SchedulerState, { job }: Task, others: string): WaitReason | null {
  const { flow } = job.share
  const next = [...job.version.residencies.map(({ lanes }) => lanes), job.version.lanes]
    .flatMap((lanes) => lanes[job.class].take(turnsLookedAt))
    .map((task) => task.job)
    .find((other) => other.share.flow !== flow && other.arrival > job.arrival && compareTurns(other, job) < 0)
  if (!next) return null
  const own = flow.user === next.share.flow.user ? 'This session' : 'This user'
  const running = [...jobs.values()].filter((other) => other.share.flow.user === flow.user && other.state === 'running')
  const has = running.length > 0 ? `, ${jobsAre(running.length)} running,` : ''
  return {
    code: 'FAIR_SHARE',
    reason: `${own} has had its share for now${has} and it is the turn of others. ${others}`,
  }
}
