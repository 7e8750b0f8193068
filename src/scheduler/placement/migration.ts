/**
 * Moves of models that are much asked for to devices where they run faster: every few seconds, where it saves more than twice the load and what is lost
 * with the models that go for it. First a copy is loaded there; when it serves, the former one goes. A device takes part in one move a minute at the most,
 * and a model that has moved stays for a while.
 */
import { rateOf } from '../demand/demand.ts'
import type { Score } from '../explain/decisions.ts'
import { slownessOf } from '../learning/speeds.ts'
import { loadMsOf, usualExecMs } from '../learning/times.ts'
import { bytesOf } from '../memory/footprint.ts'
import { type Device, deviceOf, isLive, type LiveResidency, type SchedulerState, type Version } from '../state.ts'
import { decided, setAlarm, type Turn } from '../turn.ts'
import { candidateDevices } from './candidates.ts'
import { roomLossMs } from './completion.ts'
import { shortfall } from './misfit.ts'

export interface Migration {
  readonly from: Device
  readonly to: Device
}

/** What is gained counts for so long. */
const horizonMs = 600_000
/** Smaller differences are noise. */
const fasterBy = 1.25
const deviceRestMs = 60_000
const versionRestMs = 300_000
/** Models that are looked at in one go; the others have their turn the next time. */
const lookedAtMax = 64

/** Devices differ: from now on it is looked at every few seconds who should move. */
export function watchMoves(state: SchedulerState, version: Version, device: Device, now: number): void {
  const { migrationIntervalMs } = state.settings
  if (state.migrateAt !== null || migrationIntervalMs === 0 || state.devices.size < 2) return
  if (!isSlow(state, version, device)) return
  state.migrateAt = now + migrationIntervalMs
  setAlarm(state, state.migrateAt)
}

export function moveDue(turn: Turn): void {
  const { state, now } = turn
  if (state.migrateAt === null || now < state.migrateAt) return
  state.migrateAt = null
  state.leastSlowness = Math.min(1, ...state.slowness.values())
  const versions = [...state.versions.values()]
  const count = Math.min(versions.length, lookedAtMax)
  for (let index = 0; index < count; index += 1) {
    const version = versions[(state.movesLookedAt + index) % versions.length]
    const [residency, ...others] = version?.residencies.filter(isLive) ?? []
    // One that has copies in several places is served by the faster ones already.
    if (!version || !residency || others.length > 0 || residency.state !== 'resident' || version.migration) continue
    if (version.migratedAt !== null && now < version.migratedAt + versionRestMs) continue
    considerMove(turn, version, residency)
    watchMoves(state, version, deviceOf(residency), now)
  }
  state.movesLookedAt = (state.movesLookedAt + count) % Math.max(1, versions.length)
}

function considerMove(turn: Turn, version: Version, residency: LiveResidency): void {
  const { state, now } = turn
  const from = deviceOf(residency)
  const requests = rateOf(version.learnt.demand, now) * horizonMs
  if (requests < 1 || isResting(from, now)) return
  const usualMs = usualExecMs(state, version)
  const hereMs = usualMs * slownessOf(state, from)
  let best: { to: Device; gainMs: number; score: Score } | null = null
  for (const to of candidateDevices(state, version, state)) {
    const thereMs = usualMs * slownessOf(state, to)
    if (to === from || isResting(to, now) || hereMs < fasterBy * thereMs || shortfall(state, version, to)) continue
    const loadMs = loadMsOf(state, version, to)
    const evictedMs = roomLossMs(state, to, bytesOf(version), now)
    const savedMs = requests * (hereMs - thereMs)
    const gainMs = savedMs - 2 * loadMs - evictedMs
    const parts = [savedMs, loadMs, evictedMs, hereMs, thereMs].map(Math.round)
    const score = { deviceId: to.spec.deviceId, versionId: version.spec.versionId, parts }
    if (gainMs > 0 && (!best || gainMs > best.gainMs)) best = { to, gainMs, score }
  }
  if (!best) return
  const { to, score } = best
  version.migration = { from, to }
  version.migratedAt = now
  from.migratedAt = now
  to.migratedAt = now
  turn.touched.add(version)
  const ids = { versionId: version.spec.versionId, deviceId: to.spec.deviceId }
  decided(turn, { kind: 'MIGRATE', reason: 'faster_elsewhere', ...ids, scheme: 'move', scores: [score] })
}

function isResting({ migratedAt }: Device, now: number): boolean {
  return migratedAt !== null && now < migratedAt + deviceRestMs
}

/** It takes clearly longer there than where devices are fastest. */
function isSlow(state: SchedulerState, version: Version, device: Device): boolean {
  return version.learnt.execMs !== null && slownessOf(state, device) >= fasterBy * state.leastSlowness
}
