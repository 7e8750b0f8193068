/** Why a model that a job waits for is not loaded yet. */
import { heldUntil } from '../eviction/holds.ts'
import type { Millis } from '../ids.ts'
import { isIdle } from '../memory/footprint.ts'
import { availableBytes } from '../memory/ledger.ts'
import { isPinned } from '../pins/pins.ts'
import { shortfall } from '../placement/misfit.ts'
import { type Offer, offersFor } from '../placement/placement.ts'
import { refusesLoads, usedShareOf } from '../pressure/pressure.ts'
import { type Device, deviceOf, isLive, type SchedulerState, type Version } from '../state.ts'
import { mib, seconds } from './amounts.ts'
import { isLoading, loadedAt, wantFor } from './estimate.ts'
import type { WaitReason } from './wait-code.ts'

/** `device`: the one that the job is bound to; null = any. */
export function waitForLoad(state: SchedulerState, version: Version, now: Millis, device: Device | null): WaitReason {
  const { modelName, engine } = version.spec
  const loading = version.residencies.find((each) => isLoading(each) && (device === null || deviceOf(each) === device))
  if (loading) {
    const readyAt = loadedAt(version, now, device)
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
  const want = wantFor(state, version, now, device)
  const [best] = want ? offersFor(state, version, want, now) : []
  if (!best || best.device.loading) return elsewhereBusy(state, version)
  if (refusesLoads(best.device, best.need.class)) return underPressure(best, modelName)
  return best.missingBytes === 0 ? heldUp(best, engine, modelName, now) : shortOfMemory(state, best, modelName, now)
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
  if (device.loading) {
    const reason = `${modelName} is not loaded; ${name} is loading ${device.loading.version.spec.modelName} first.`
    return { code: 'MODEL_LOADING', reason }
  }
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
  const other = device.claim?.spec.modelName
  const first = other === undefined || other === modelName ? 'a model that goes' : `${other}, which goes`
  return { code: 'MEMORY', reason: `What is free on ${name} is kept for ${first} before ${modelName}.` }
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

function shortOfMemory(state: SchedulerState, offer: Offer, modelName: string, now: Millis): WaitReason {
  const { device, need, isPossible } = offer
  const free = mib(Math.max(0, availableBytes(device)))
  const others = isPossible ? 'what is not in use there is being unloaded' : holders(state, device, now)
  return {
    code: 'MEMORY',
    reason: `${modelName} needs ${mib(need.totalBytes)} on ${device.spec.name}, where ${free} are free; ${others}.`,
  }
}

/** What has the memory, and why it stays. */
function holders(state: SchedulerState, device: Device, now: Millis): string {
  const live = [...device.residencies].filter(isLive)
  const told = live.slice(0, holdersTold).map((residency) => {
    const { modelName } = residency.version.spec
    if (isPinned(residency)) return `${modelName} is pinned`
    if (!isIdle(residency)) return `${modelName} is in use`
    const until = heldUntil(state, residency)
    return until > now
      ? `${modelName} stays for another ${seconds(until - now)}`
      : `${modelName} is kept for interactive work`
  })
  if (told.length === 0) return 'the rest is in use'
  return live.length > holdersTold ? `${told.join(', ')}, and others are in use` : told.join(', ')
}
const holdersTold = 3
