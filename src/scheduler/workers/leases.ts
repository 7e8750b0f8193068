/**
 * Leases: who may step on a device. Workers of several engines share its cores. Where their threads would contend, those that have only batch work
 * stop stepping while another one has interactive work, and get their turn for a short while in every slice, so that batch work never stands still.
 */
import type { Millis, WorkerId } from '../ids.ts'
import { type Device, type LeaseTurn, type SchedulerState, servingWorkers, type Worker } from '../state.ts'
import { setAlarm, type Turn } from '../turn.ts'

export function settleLeases(turn: Turn): void {
  for (const device of turn.leasesDue) settle(turn, device)
}

/** Its running step is over. Of who was given the lease again meanwhile that says nothing. */
export function takeRevoked({ workers }: SchedulerState, workerId: WorkerId): void {
  const worker = workers.get(workerId)
  if (worker?.lease === 'revoking') worker.lease = 'revoked'
}

/** It waits for interactive work of others on its device. */
export function isWithoutLease({ lease }: Worker): boolean {
  return lease !== 'held'
}

/** Workers with work on the device, if interactive and batch work are in each other's way there; null = they are not. */
export function contenders(device: Device): { readonly interactive: Worker[]; readonly batch: Worker[] } | null {
  // A slot has one worker with models: who is alone contends with nobody.
  if (device.slots.size < 2) return null
  const interactive: Worker[] = []
  const batch: Worker[] = []
  for (const worker of servingWorkers(device)) {
    const work = workOf(worker)
    if (work) (work === 'batch' ? batch : interactive).push(worker)
  }
  const { coreCount, workerThreads } = device.spec
  const isCrowded = (interactive.length + batch.length) * workerThreads > coreCount
  return interactive.length > 0 && batch.length > 0 && isCrowded ? { interactive, batch } : null
}

function settle(turn: Turn, device: Device): void {
  const contest = contenders(device)
  device.leaseTurn = turnOf(turn, device.leaseTurn, contest !== null)
  for (const worker of servingWorkers(device)) {
    if (worker.state !== 'stopping')
      setLease(turn, worker, !contest?.batch.includes(worker) || device.leaseTurn?.isBatch === true)
  }
}

/** A turn goes on to its end, also if nobody contends for a while; interactive work begins. */
function turnOf({ state, now }: Turn, before: LeaseTurn | null, isContended: boolean): LeaseTurn | null {
  if (before && now < before.endsAt) return before
  if (!isContended) return null
  const { leaseSliceMs, batchSliceMs } = state.settings
  const isBatch = before?.isBatch === false
  const endsAt: Millis = now + (isBatch ? batchSliceMs : leaseSliceMs - batchSliceMs)
  setAlarm(state, endsAt)
  return { isBatch, endsAt }
}

function setLease(turn: Turn, worker: Worker, isHolder: boolean): void {
  const { workerId, lease } = worker
  if (isHolder === (lease === 'held')) return
  worker.lease = isHolder ? 'held' : 'revoking'
  turn.commands.push({ type: isHolder ? 'grantLease' : 'revokeLease', workerId })
}

/** What its tasks are that may step; null = it has none. */
function workOf({ residencies }: Worker): 'interactive' | 'batch' | null {
  let tasks = 0
  for (const { admitted, interactive } of residencies.values()) {
    if (interactive > 0) return 'interactive'
    tasks += admitted
  }
  return tasks > 0 ? 'batch' : null
}
