/** Why a job waits, in words that a user understands, from the state as it is now. */
import { isOpen } from '../admission/admission.ts'
import type { Millis } from '../ids.ts'
import { availableBytes } from '../memory/ledger.ts'
import { shortfall } from '../placement/misfit.ts'
import { type Offer, offersFor } from '../placement/placement.ts'
import { wantOf } from '../placement/wants.ts'
import { refusesLoads, usedShareOf } from '../pressure/pressure.ts'
import {
  type Device,
  deviceOf,
  isLive,
  type Job,
  type LiveResidency,
  type SchedulerState,
  type Task,
  type Version,
} from '../state.ts'
import { isWithoutLease } from '../workers/leases.ts'
import { jobsAre, mib, seconds } from './amounts.ts'
import { loadedAt, nextTask, tasksAhead } from './estimate.ts'

/** As in the schema. */
export type WaitCode =
  | 'BEHIND_OTHERS'
  | 'FAIR_SHARE'
  | 'MODEL_LOADING'
  | 'MEMORY'
  | 'BATCH_FORMING'
  | 'PAUSED'
  | 'HEAT'
  | 'NO_DEVICE'
  | 'SERVER_RECOVERING'

export interface WaitReason {
  readonly code: WaitCode
  readonly reason: string
}

export function waitReason(state: SchedulerState, job: Job, now: Millis): WaitReason {
  if (job.state === 'paused') return paused(job)
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
  if (version.residencies.some(({ state: life, ending }) => life === 'resident' && ending === null))
    return atResident(task, version)
  return unloaded(state, version, now)
}

function paused({ tasks }: Job): WaitReason {
  const holder = tasks.find(({ pausedState }) => pausedState)?.residency
  if (holder) {
    const reason = `It was paused on request. ${deviceOf(holder).spec.name} keeps its state, and it goes on from there when it is resumed.`
    return { code: 'PAUSED', reason }
  }
  const from = tasks.some(({ checkpointStep }) => checkpointStep !== null)
    ? ' It then goes on from its checkpoint.'
    : ''
  return { code: 'PAUSED', reason: `It was paused on request, and waits for a place again when it is resumed.${from}` }
}

/** None of its tasks waits for a place. */
function betweenTasks({ pauseCause, home }: Job): WaitReason {
  if (pauseCause !== null)
    return { code: 'PAUSED', reason: 'It was asked to pause, and does so after its running step.' }
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
  const { modelName, batchLimit, holdMs } = version.spec
  const device = deviceOf(residency).spec.name
  if (isWithoutLease(residency.worker)) {
    const share = `${settings.batchSliceMs} ms of every ${seconds(settings.leaseSliceMs)}`
    const reason = `Interactive work of another engine has the cores of ${device}; batch work gets ${share} until that is done.`
    return { code: 'BEHIND_OTHERS', reason }
  }
  const ahead = tasksAhead(task)
  if (ahead + residency.running >= batchLimit) {
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
function atResident(task: Task, version: Version): WaitReason {
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
  return { code: 'BEHIND_OTHERS', reason: others }
}

function unloaded(state: SchedulerState, version: Version, now: Millis): WaitReason {
  const { modelName, engine } = version.spec
  const loading = version.residencies.find((residency) => residency.state === 'loading' && isLive(residency))
  if (loading) {
    const readyAt = loadedAt(version, now)
    const left = readyAt === null ? '' : `, about ${seconds(readyAt - now)} left`
    return { code: 'MODEL_LOADING', reason: `${modelName} is loading on ${deviceOf(loading).spec.name}${left}.` }
  }
  if (version.standing === 'checking')
    return {
      code: 'MODEL_LOADING',
      reason: `The files of ${modelName} were found changed; they are read again before it is loaded.`,
    }
  if (now < version.notBefore) {
    const before = version.loadFailures > 0 ? 'could not be loaded' : 'was found changed again and again'
    return {
      code: 'MODEL_LOADING',
      reason: `${modelName} ${before}; it is tried again in ${seconds(version.notBefore - now)}.`,
    }
  }
  const lost = lostHolder(state, version)
  if (lost)
    return {
      code: 'NO_DEVICE',
      reason: `Only ${lost.spec.name} can hold ${modelName}; it is lost, and the job goes on when it is back.`,
    }
  const want = wantOf(state, version)
  const [best] = want ? offersFor(state, version, want, now) : []
  if (!best) return elsewhereBusy(state, version)
  if (refusesLoads(best.device, best.need.class)) return underPressure(best, modelName)
  return best.missingBytes === 0 ? heldUp(best, engine, modelName, now) : shortOfMemory(best, modelName)
}

/** A lost device that could hold the version, if no other can. */
function lostHolder(state: SchedulerState, version: Version): Device | null {
  let lost: Device | null = null
  for (const device of state.devices.values()) {
    if (shortfall(state, version, device)) continue
    if (!device.isLost) return null
    lost ??= device
  }
  return lost
}

/** Every device is loading something else, or still has to let go of this very version. */
function elsewhereBusy(state: SchedulerState, version: Version): WaitReason {
  const { modelName } = version.spec
  const leaving = version.residencies[0]
  if (leaving)
    return {
      code: 'MODEL_LOADING',
      reason: `${modelName} is being unloaded from ${deviceOf(leaving).spec.name} and loads again after that.`,
    }
  const busy = [...state.devices.values()].find(({ loading }) => loading !== null)
  const before = busy?.loading
    ? `${busy.spec.name} is loading ${busy.loading.version.spec.modelName} first.`
    : 'Its devices are busy.'
  return { code: 'MODEL_LOADING', reason: `${modelName} is not loaded; ${before}` }
}

/** There is room for it now; something else is in its way. */
function heldUp({ device, isHeldBack }: Offer, engine: string, modelName: string, now: Millis): WaitReason {
  const slot = device.slots.get(engine)
  const { name } = device.spec
  if (slot && isHeldBack) {
    const restartIn = seconds(slot.notBefore - now)
    const reason = `The ${engine} engine died ${slot.deaths} times in a row on ${name}; it is started again in ${restartIn}.`
    return { code: 'NO_DEVICE', reason }
  }
  if (slot?.primary?.state !== 'ready') {
    return {
      code: 'MODEL_LOADING',
      reason: `The ${engine} engine is starting on ${name}; ${modelName} loads after that.`,
    }
  }
  if (slot.primary.alone) {
    return { code: 'MODEL_LOADING', reason: `${modelName} loads on ${name} when a job that runs alone there is done.` }
  }
  return { code: 'MEMORY', reason: `What is free on ${name} is kept for a model that goes before ${modelName}.` }
}

/** Nothing is loaded there now, or only for interactive work. */
function underPressure({ device }: Offer, modelName: string): WaitReason {
  const { name } = device.spec
  const used = `${Math.round(100 * usedShareOf(device))} % of its limit is in use`
  return {
    code: 'MEMORY',
    reason: `${name} is short of memory (${used}); ${modelName} is loaded there when that has ended.`,
  }
}

function shortOfMemory({ device, need, isPossible }: Offer, modelName: string): WaitReason {
  const free = mib(Math.max(0, availableBytes(device)))
  const others = isPossible ? 'what is not in use there is being unloaded' : 'what else is loaded there is in use'
  return {
    code: 'MEMORY',
    reason: `${modelName} needs ${mib(need.totalBytes)} on ${device.spec.name}, where ${free} are free; ${others}.`,
  }
}
