/**
 * What is done when a single state did not fit into the memory of a worker; a step of several has been taken apart there already, and its size is not
 * tried again. Rung by rung, each once: paused work that can go on from a checkpoint leaves the worker; a model that nobody uses is evicted; a worker
 * that has grown far beyond its models is replaced; the job goes to another device; it waits, longer each time. None of these counts as a failed attempt
 * of the job. When no rung is left it fails.
 */
import { goOn } from '../admission/next-tasks.ts'
import type { MemoryRemedy } from '../commands.ts'
import type { DecisionReason } from '../explain/decisions.ts'
import type { Millis } from '../ids.ts'
import { bytesOf, isIdle } from '../memory/footprint.ts'
import { availableBytes, weightsLimitBytes } from '../memory/ledger.ts'
import { requestLoad } from '../memory/load-requests.ts'
import { unload } from '../memory/loading.ts'
import { isPinned } from '../pins/pins.ts'
import { type Device, deviceOf, isLive, type Job, type LiveResidency, type Worker } from '../state.ts'
import { decided, setAlarm, type Turn } from '../turn.ts'
import { recycleNow } from '../workers/recycling.ts'
import { engineBytes } from '../workers/workers.ts'
import { leaveHome, recall } from './homes.ts'

type Rung = (turn: Turn, job: Job, residency: LiveResidency) => boolean

/** A worker whose memory is beyond this multiple of its models and of a fresh process is replaced. */
const grownFactor = 1.5
/** Another device has so long to take the job; after that any may. */
const avoidMs = 30_000

/** What was done, so that another try may succeed; null = nothing is left to do. `residency`: where it did not fit. */
export function climb(turn: Turn, job: Job, residency: LiveResidency): MemoryRemedy | null {
  const rungs = rungsOf(turn.state.settings.memoryPausesMs)
  job.memory = { ...job.memory }
  for (let next = rungs[job.memory.rung]; next; next = rungs[job.memory.rung]) {
    job.memory.rung += 1
    if (!next.take(turn, job, residency)) continue
    return next.remedy
  }
  return null
}

/** Pauses that are over, and devices that are avoided no longer; to be asked when an alarm rings. */
export function endClimbs(turn: Turn): void {
  const { now, state } = turn
  for (const job of [...state.climbing].sort((a, b) => a.jobId - b.jobId)) {
    const { memory, version } = job
    if (memory.restsUntil !== null && memory.restsUntil <= now) memory.restsUntil = null
    if (memory.avoids !== null && memory.avoidsUntil <= now) memory.avoids = null
    if (memory.restsUntil === null && memory.avoids === null) state.climbing.delete(job)
    if (memory.restsUntil === null) goOn(turn, job)
    turn.touched.add(version)
  }
}

function rungsOf(pausesMs: readonly Millis[]): readonly { readonly remedy: MemoryRemedy; readonly take: Rung }[] {
  return [
    { remedy: 'offloaded', take: offloadPaused },
    { remedy: 'evicted', take: evictIdle },
    { remedy: 'recycled', take: replaceGrown },
    { remedy: 'moved', take: moveElsewhere },
    ...pausesMs.map((pauseMs) => ({ remedy: 'postponed' as const, take: postponeBy(pauseMs) })),
  ]
}

/** What is saved need not stay: it goes on from its checkpoint, wherever that is. */
function offloadPaused(turn: Turn, _job: Job, { worker }: LiveResidency): boolean {
  const parked = [...worker.tasks].filter(({ state, checkpointStep }) => state === 'paused' && checkpointStep !== null)
  for (const task of parked) {
    recall(turn, task)
    decide(turn, 'PAUSE', 'offloaded_for_memory', worker, task.job)
  }
  return parked.length > 0
}

/** Its own worker's models first, because their memory is what is short. */
function evictIdle(turn: Turn, _job: Job, residency: LiveResidency): boolean {
  const lastUse = ({ lastUsedAt, loadedAt }: LiveResidency) => lastUsedAt ?? loadedAt ?? 0
  const [victim] = [...deviceOf(residency).residencies]
    .filter((each) => each !== residency && isLive(each) && isIdle(each) && !isPinned(each))
    .sort(
      (a, b) =>
        Number(b.worker === residency.worker) - Number(a.worker === residency.worker) ||
        lastUse(a) - lastUse(b) ||
        a.residencyId - b.residencyId,
    )
  if (victim) unload(turn, victim, 'evicted', 'evicted_for_memory')
  return victim !== undefined
}

function replaceGrown(turn: Turn, job: Job, { worker }: LiveResidency): boolean {
  const freshBytes = engineBytes(turn.state, worker.slot.engine)
  const isGrown = worker.slot.primary === worker && worker.runtime.sizeBytes > grownFactor * freshBytes
  if (!isGrown) return false
  recycleNow(turn.state, worker)
  decide(turn, 'RESTART_WORKER', 'grown_beyond_plan', worker, job)
  return true
}

function moveElsewhere(turn: Turn, job: Job, residency: LiveResidency): boolean {
  const { memory, version } = job
  const here = deviceOf(residency)
  const there = largestOther(turn, job, here)
  if (!there || job.tasksAtWorkers > 0) return false
  if (job.home) leaveHome(turn, job, 'out_of_memory', null)
  memory.avoids = here.spec.deviceId
  memory.avoidsUntil = turn.now + avoidMs
  turn.state.climbing.add(job)
  setAlarm(turn.state, memory.avoidsUntil)
  requestLoad(turn, version.spec.versionId, there.spec.deviceId)
  decide(turn, 'MIGRATE', 'moved_for_memory', residency.worker, job)
  return true
}

function postponeBy(pauseMs: Millis): Rung {
  return (turn, job, { worker }) => {
    job.memory.restsUntil = turn.now + pauseMs
    turn.state.climbing.add(job)
    setAlarm(turn.state, job.memory.restsUntil)
    decided(turn, {
      kind: 'REQUEUE',
      reason: 'postponed_for_memory',
      jobId: job.jobId,
      versionId: job.version.spec.versionId,
      deviceId: worker.slot.device.spec.deviceId,
      workerId: worker.workerId,
      amount: pauseMs,
    })
    return true
  }
}

/** One that has the model, or could hold it, with the most memory that nobody uses. */
function largestOther({ state }: Turn, { version }: Job, here: Device): Device | null {
  const { weightsBytes, workingBytes } = bytesOf(version)
  let best: Device | null = null
  for (const device of state.devices.values()) {
    if (device === here || device.isLost) continue
    if (weightsBytes > weightsLimitBytes(state, device)) continue
    if (weightsBytes + workingBytes > device.spec.limitBytes) continue
    if (!best || availableBytes(device) > availableBytes(best)) best = device
  }
  return best
}

function decide(
  turn: Turn,
  kind: 'PAUSE' | 'RESTART_WORKER' | 'MIGRATE',
  reason: DecisionReason,
  { workerId, slot }: Worker,
  { jobId, version }: Job,
): void {
  const { deviceId } = slot.device.spec
  decided(turn, { kind, reason, jobId, versionId: version.spec.versionId, deviceId, workerId })
}
