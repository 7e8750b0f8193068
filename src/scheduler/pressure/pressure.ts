/**
 * What is done about a device that is short of memory. What others have taken of it is made up for by idle models, those of least worth first. While
 * it is tight, states of paused jobs that are saved leave it, nothing is loaded there but for interactive work, and steps of batch work are kept
 * short. When it is critical, every idle model that is not pinned goes, batch work pauses, and nothing is loaded. What was paused goes on, oldest
 * first, half of it when the device is only tight again.
 */
import { refreshPolicy } from '../batching/policy-changes.ts'
import type { PriorityClass } from '../events.ts'
import { rank } from '../eviction/ranking.ts'
import { leavingRoom, roomOfResidency } from '../eviction/rooms.ts'
import { recall } from '../jobs/homes.ts'
import { pauseJob, resumePaused } from '../jobs/pausing.ts'
import { isIdle } from '../memory/footprint.ts'
import { availableBytes } from '../memory/ledger.ts'
import { unload } from '../memory/loading.ts'
import { isPinned } from '../pins/pins.ts'
import { type Device, devicesInOrder, isLive, type LiveResidency, servingWorkers, type Task } from '../state.ts'
import { setAlarm, type Turn } from '../turn.ts'
import { fallsAt, judge, noPressure } from './levels.ts'

/** True when something was done: places may have become free, or work come back. */
export function settlePressure(turn: Turn): boolean {
  const { pressureDue } = turn
  if (pressureDue.size === 0) return false
  let isAnyDone = false
  // What a lost device has is not measured; it is looked at when it is back.
  for (const device of devicesInOrder(pressureDue)) if (!device.isLost) isAnyDone = settle(turn, device) || isAnyDone
  pressureDue.clear()
  return isAnyDone
}

/** An alarm has rung: a level may have lasted long enough below its end. */
export function lookAgain(turn: Turn): void {
  for (const device of devicesInOrder(turn.state.pressed)) turn.pressureDue.add(device)
}

/** It is lost: nobody measures it any more, so what had to pause for it would never go on. It goes on where there is room. */
export function endPressure(turn: Turn, device: Device): void {
  Object.assign(device.pressure, noPressure())
  turn.state.pressed.delete(device)
  resumeSome(turn, device)
}

/** Nothing is loaded on a critical device, and on a tight one only what interactive work waits for. */
export function refusesLoads({ pressure }: Device, priorityClass: PriorityClass): boolean {
  return pressure.level === 'critical' || (pressure.level === 'tight' && priorityClass === 'batch')
}

/** Of the limit, what is in use and could not be had at once. */
export function usedShareOf(device: Device): number {
  const { limitBytes } = device.spec
  let usedBytes = limitBytes - availableBytes(device)
  for (const residency of device.residencies)
    if (isDispensable(residency) || residency.state === 'evicting') usedBytes -= roomOfResidency(residency).totalBytes
  return usedBytes / limitBytes
}

function settle(turn: Turn, device: Device): boolean {
  const { settings, pressed } = turn.state
  const { pressure } = device
  const before = pressure.level
  const isChanged = judge(pressure, usedShareOf(device), turn.now, settings.pressure)
  const at = fallsAt(pressure, settings.pressure)
  if (at !== null) setAlarm(turn.state, at)
  if (pressure.level === 'normal') pressed.delete(device)
  else pressed.add(device)
  const isAnyFreed = makeUp(turn, device)
  if (!isChanged) return isAnyFreed
  if (pressure.level !== 'normal') offload(turn, device)
  if (pressure.level === 'critical') pauseBatch(turn, device)
  if (before === 'critical' || pressure.level === 'normal') resumeSome(turn, device)
  for (const residency of device.residencies) {
    refreshPolicy(turn, residency)
    turn.touched.add(residency.version)
  }
  turn.freed.add(device)
  return true
}

/** Idle models go for what others have taken; all of them, where it is critical. */
function makeUp(turn: Turn, device: Device): boolean {
  const { settings } = turn.state
  const isCritical = device.pressure.level === 'critical'
  const marginBytes = settings.pressure.marginShare * device.spec.limitBytes
  let missingBytes = -(availableBytes(device) + leavingRoom(device).totalBytes)
  if (missingBytes <= 0 && !isCritical) return false
  missingBytes += marginBytes
  const idle = [...device.residencies].filter(isDispensable)
  for (const { residency } of rank(turn.state, device, idle, turn.now)) {
    if (missingBytes <= 0 && !isCritical) break
    missingBytes -= roomOfResidency(residency).totalBytes
    unload(turn, residency, 'evicted', 'memory_pressure')
  }
  return idle.length > 0
}

function isDispensable(residency: LiveResidency): boolean {
  return isLive(residency) && isIdle(residency) && !isPinned(residency)
}

/** What is saved begins again from there; what is not would be lost, and stays. */
function offload(turn: Turn, device: Device): void {
  for (const task of tasksOn(device))
    if (task.state === 'paused' && (task.checkpointStep !== null || task.startedAt === null)) recall(turn, task)
}

function pauseBatch(turn: Turn, device: Device): void {
  // Pausing changes what the workers have.
  const tasks = [...tasksOn(device)]
  for (const { job, state } of tasks) {
    if (job.class !== 'batch' || job.pauseCause !== null || (state !== 'admitted' && state !== 'started')) continue
    device.heldJobs.add(job)
    pauseJob(turn, job.jobId, 'memory_pressure')
  }
}

function resumeSome(turn: Turn, device: Device): void {
  const held = [...device.heldJobs].sort((a, b) => a.order - b.order)
  const count = device.pressure.level === 'normal' ? held.length : Math.ceil(held.length / 2)
  for (const job of held.slice(0, count)) {
    device.heldJobs.delete(job)
    resumePaused(turn, job, 'memory_pressure')
  }
}

function* tasksOn(device: Device): Generator<Task> {
  for (const { tasks } of servingWorkers(device)) yield* tasks
}
