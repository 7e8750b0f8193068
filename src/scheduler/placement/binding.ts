/**
 * Early binding: a job is given its device when it comes, by the routing policy that is set, and waits there; its version is loaded there for it. With
 * `arrival` each device serves its jobs strictly in order: only the model of the first is loaded, and nobody goes before it. Jobs are bound anew when
 * their device is lost, or cannot hold their model any more. By default nothing is bound: whoever has the model and room first takes the job.
 */
import { execMsOf, loadMsOf } from '../learning/times.ts'
import { bytesOf, isIdle } from '../memory/footprint.ts'
import { availableBytes } from '../memory/ledger.ts'
import { type Device, isLive, type Job, type SchedulerState, type Version } from '../state.ts'
import { decided, type Turn } from '../turn.ts'
import { candidateDevices } from './candidates.ts'
import { channelMs, roomLossMs } from './completion.ts'
import { shortfall } from './misfit.ts'
import { noteForecast } from './policies/outcomes.ts'
import { routingPolicies } from './policies/policies.ts'
import type { RoutingCandidate, RoutingChoice, RoutingRequest } from './policies/policy.ts'
import { chooseLeast } from './policies/rating.ts'

export function isBindingEarly({ settings }: SchedulerState): boolean {
  return settings.routing !== 'ect' || settings.queueOrder === 'arrival'
}

/** Of a job that is in no queue. Where no device could take it, it stays unbound, and whatever is said of such versions is said of its own. */
export function bind(turn: Turn, job: Job): void {
  const { state, now } = turn
  if (!isBindingEarly(state) || job.boundTo) return
  const choice = choose(state, job, now)
  if (!choice) return
  const { device, forecast, scheme, scores, isDegraded } = choice
  job.boundTo = device
  job.boundMs = Math.round(forecast.loadMs + forecast.execMs)
  device.boundMs += job.boundMs
  noteForecast(job, choice, now)
  decided(turn, {
    kind: 'PLACE',
    reason: isDegraded ? 'routed_for_want_of_better' : 'routed',
    jobId: job.jobId,
    versionId: job.version.spec.versionId,
    deviceId: device.spec.deviceId,
    scheme,
    scores,
  })
}

/** The devices where jobs that are bound to them wait for the version to be loaded; where order is kept, only for the first in line. */
export function devicesWanting(version: Version): Device[] {
  const devices: Device[] = []
  for (const { device, lanes } of version.bound.values()) {
    if (lanes.interactive.size + lanes.batch.size === 0 || device.isLost) continue
    if (device.line && device.line.first()?.version !== version) continue
    if (!residencyOn(version, device)) devices.push(device)
  }
  return devices.sort((a, b) => a.spec.deviceId - b.spec.deviceId)
}

function choose(state: SchedulerState, job: Job, now: number): RoutingChoice | null {
  const { version, work } = job
  const { weightsBytes, workingBytes } = bytesOf(version)
  const request = { version, class: job.class, work, weightsBytes, totalBytes: weightsBytes + workingBytes }
  const devices = candidateDevices(state, version, state).filter((device) => canServe(state, version, device))
  const fastestMs = Math.min(...devices.map((device) => execMsOf(state, version, device, work)))
  const candidates = devices
    .map((device) => candidateOf(state, request, device, fastestMs, now))
    .sort((a, b) => a.device.spec.deviceId - b.device.spec.deviceId)
  const policy = routingPolicies[state.settings.routing]
  return policy ? policy.choose({ now, state, candidates }, request) : chooseEarliest(state, request, candidates, now)
}

function canServe(state: SchedulerState, version: Version, device: Device): boolean {
  if (version.standing !== 'replaced') return shortfall(state, version, device) === null
  const residency = residencyOn(version, device)
  return residency !== undefined && isLive(residency)
}

/** By estimated completion time, what is lost with evicted models counted in. */
function chooseEarliest(
  state: SchedulerState,
  request: RoutingRequest,
  candidates: readonly RoutingCandidate[],
  now: number,
): RoutingChoice | null {
  const rated = candidates.map((candidate) => {
    const { device, isResident, outstandingMs, loadMs, execMs } = candidate
    const evictedMs = isResident ? 0 : roomLossMs(state, device, request, now)
    const parts = [outstandingMs, loadMs, execMs, evictedMs].map(Math.round)
    return { candidate, cost: outstandingMs + loadMs + execMs + evictedMs, parts }
  })
  return chooseLeast('ect', request, rated)
}

function candidateOf(
  state: SchedulerState,
  { version, work }: RoutingRequest,
  device: Device,
  fastestMs: number,
  now: number,
): RoutingCandidate {
  const bound = version.bound.get(device)
  const residency = residencyOn(version, device)
  // It will be there when the job's turn comes, if others that wait for it are before it.
  const isExpected = bound !== undefined && bound.lanes.interactive.size + bound.lanes.batch.size > 0
  const isResident = isExpected || (residency !== undefined && isLive(residency))
  const isLoading = residency !== undefined && device.loading === residency
  const execMs = execMsOf(state, version, device, work)
  const slot = device.slots.get(version.spec.engine)
  const freeBytes = Math.max(0, availableBytes(device))
  return {
    device,
    limitBytes: device.spec.limitBytes,
    availableBytes: freeBytes + evictableBytes(device),
    freeBytes,
    outstandingMs: device.boundMs,
    residents: device.residencies.size,
    isResident,
    loadMs: isLoading ? channelMs(state, device, now) : isResident ? 0 : loadMsOf(state, version, device),
    execMs,
    speed: fastestMs / Math.max(1, execMs),
    failRate: Math.min(1, (slot?.deaths ?? 0) / (1 + state.settings.circuitDeaths)),
    temperatureFactor: 1,
    isStaffed: slot?.primary?.state === 'ready',
  }
}

function evictableBytes(device: Device): number {
  let bytes = 0
  for (const residency of device.residencies)
    if (isLive(residency) && isIdle(residency)) bytes += residency.weights.sizeBytes + residency.working.sizeBytes
  return bytes
}

function residencyOn(version: Version, device: Device) {
  return version.residencies.find(({ worker }) => worker.slot.device === device)
}
