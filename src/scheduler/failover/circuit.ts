/**
 * Whether an engine's place on a device is trusted. Where workers die again and again without having done anything between, the circuit opens: nothing
 * is started there for a while, which doubles each time. Then one task at a time is tried; once one has ended well, the place gets half of what it
 * usually gets, and after a minute without another death all of it.
 */
import type { Millis } from '../ids.ts'
import {
  type LiveResidency,
  type SchedulerState,
  type Slot,
  slotsInOrder,
  steppingTasks,
  type Worker,
} from '../state.ts'
import { setAlarm, type Turn } from '../turn.ts'

/** Another worker has died there; `deaths` counts it. */
export function noteDeath(turn: Turn, slot: Slot): void {
  const { state, now } = turn
  const { restartBackoffMs, restartCalmMs, circuitDeaths } = state.settings
  const isFirst = slot.lastDeathAt === null || now - slot.lastDeathAt > restartCalmMs
  slot.deaths = isFirst ? 1 : slot.deaths + 1
  slot.lastDeathAt = now
  if (slot.circuit !== 'closed' || slot.deaths >= circuitDeaths) openCircuit(turn, slot)
  else holdBack(turn, slot, timeOf(restartBackoffMs, slot.deaths))
}

/** Nothing is started there for a while, and then carefully. */
function openCircuit(turn: Turn, slot: Slot): void {
  slot.openings += 1
  distrust(turn.state, slot)
  holdBack(turn, slot, timeOf(turn.state.settings.circuitBackoffMs, slot.openings))
}

/** What is there is tried with one task at a time. */
export function distrust(state: SchedulerState, slot: Slot): void {
  slot.circuit = 'probing'
  slot.recoversAt = null
  state.unsteady.add(slot)
}

/** A task has ended well there. What a worker says that has been killed shows nothing of the one that comes after it. */
export function noteSuccess(turn: Turn, { state, slot }: Worker): void {
  if (state === 'stopping' || slot.circuit !== 'probing') return
  slot.circuit = 'recovering'
  slot.recoversAt = turn.now + turn.state.settings.circuitRecoveryMs
  setAlarm(turn.state, slot.recoversAt)
  touchVersions(turn, slot)
}

/** Those that have gone on without a death for long enough are trusted again. */
export function closeCircuits(turn: Turn): void {
  if (turn.state.unsteady.size === 0) return
  for (const slot of slotsInOrder(turn.state.unsteady)) {
    if (slot.recoversAt === null || turn.now < slot.recoversAt) continue
    slot.circuit = 'closed'
    slot.recoversAt = null
    slot.openings = 0
    turn.state.unsteady.delete(slot)
    touchVersions(turn, slot)
  }
}

/** Nothing may be started, or take over, there now. */
export function isOpenCircuit({ circuit, notBefore }: Slot, now: Millis): boolean {
  return circuit !== 'closed' && now < notBefore
}

/** Share of its usual work that the place gets now. */
export function shareOf({ circuit }: Slot): 0 | 0.5 | 1 {
  return circuit === 'closed' ? 1 : circuit === 'recovering' ? 0.5 : 0
}

/** The residency may be given another task as far as its circuit goes. `taken` of `limit` places are. */
export function hasTrust({ worker }: LiveResidency, taken: number, limit: number): boolean {
  const { circuit } = worker.slot
  if (circuit === 'probing') return steppingTasks(worker) === 0
  return circuit === 'closed' || taken < Math.ceil(limit / 2)
}

function holdBack({ state, now }: Turn, slot: Slot, pauseMs: number): void {
  slot.notBefore = now + pauseMs
  if (pauseMs > 0) setAlarm(state, slot.notBefore)
}

/** The last one repeats. */
function timeOf(timesMs: readonly number[], count: number): number {
  return timesMs[count - 1] ?? timesMs.at(-1) ?? 0
}

function touchVersions(turn: Turn, { primary }: Slot): void {
  for (const { version } of primary?.residencies.values() ?? []) turn.touched.add(version)
}
