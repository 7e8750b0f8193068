/**
 * The whole state as plain JSON, and back. A restored state gives the same commands as the one it was taken from, so a snapshot opens a replay;
 * and it carries what was learnt over a restart. Only the decisions themselves stay behind; their count goes on.
 */
import { copySteps, type NodeSteps } from '../batching/node-steps.ts'
import type { HintCounts } from '../demand/hints.ts'
import type { PriorityClass } from '../events.ts'
import { createFairness } from '../fairness/flows.ts'
import type { DeviceId, Millis, VersionId } from '../ids.ts'
import { copyLearnt, type Learnt } from '../learning/learning.ts'
import type { Served } from '../placement/overtaking.ts'
import type { SchedulerSettings } from '../settings.ts'
import type { Job, SchedulerState } from '../state.ts'
import {
  type AnticipationSnapshot,
  anticipationOut,
  type PoolSnapshot,
  poolOut,
  type SessionSnapshot,
  sessionOut,
} from './demand-rows.ts'
import { type FairnessSnapshot, fairnessOut } from './fairness-rows.ts'
import { type PreemptionSnapshot, preemptionOut } from './preemption-rows.ts'
import { type RoutingSnapshot, routingOut } from './routing-rows.ts'
import {
  type AllocationSnapshot,
  allocationOut,
  type DeviceSnapshot,
  deviceOut,
  type JobSnapshot,
  jobOut,
  type ResidencySnapshot,
  residencyOut,
  type VersionSnapshot,
  versionOut,
  type WorkerSnapshot,
  workerOut,
} from './snapshot-rows.ts'

/** Raised with every change of the shape; others are refused. */
export const snapshotFormat = 15

export interface Snapshot {
  readonly format: number
  readonly settings: SchedulerSettings
  readonly nextRuntimeId: number
  readonly nextArrival: number
  readonly draining: boolean
  readonly recovering: boolean
  readonly alarms: readonly Millis[]
  readonly timerAt: Millis | null
  readonly decisionCount: number
  readonly learnt: readonly (readonly [VersionId, Learnt])[]
  readonly nodeSteps: readonly (readonly [VersionId, DeviceId, readonly NodeSteps[]])[]
  readonly anticipation: AnticipationSnapshot
  readonly pools: readonly PoolSnapshot[]
  readonly hintCounts: HintCounts
  readonly sessions: readonly SessionSnapshot[]
  readonly hinted: readonly VersionId[]
  readonly preemption: PreemptionSnapshot
  readonly fairness: Readonly<Record<PriorityClass, FairnessSnapshot>>
  readonly engineBytes: readonly (readonly [string, number])[]
  readonly loadMsPerByte: number | null
  readonly slowness: readonly (readonly [DeviceId, number])[]
  readonly leastSlowness: number
  readonly migrateAt: Millis | null
  readonly movesLookedAt: number
  readonly routing: RoutingSnapshot
  readonly staffedAt: Millis | null
  readonly peaksEndAt: Millis | null
  readonly random: number
  readonly devices: readonly DeviceSnapshot[]
  readonly versions: readonly VersionSnapshot[]
  readonly jobs: readonly JobSnapshot[]
  readonly allocations: readonly AllocationSnapshot[]
  readonly workers: readonly WorkerSnapshot[]
  readonly residencies: readonly ResidencySnapshot[]
  readonly served: Served
  readonly overtakenAt: number | null
}

export function snapshot(state: SchedulerState): Snapshot {
  return {
    ...snapshotLearnt(state),
    staffedAt: state.staffedAt,
    peaksEndAt: state.peaksEndAt,
    draining: state.draining,
    recovering: state.recovering,
    alarms: [...state.alarms],
    timerAt: state.timerAt,
    preemption: preemptionOut(state.preemption),
    fairness: { interactive: fairnessOut(state.fairness.interactive), batch: fairnessOut(state.fairness.batch) },
    devices: [...state.devices.values()].map(deviceOut),
    versions: [...state.versions.values()].map(versionOut),
    sessions: [...state.sessions].map(sessionOut),
    hinted: [...state.hinted].map(({ spec }) => spec.versionId),
    jobs: [...knownJobs(state)].map((job) => jobOut(job, state.jobs.has(job.jobId))),
    allocations: [...state.allocations.values()].map(allocationOut),
    workers: [...state.workers.values()].map(workerOut),
    residencies: [...state.residencies.values()].map(residencyOut),
    served: { ...state.served },
    overtakenAt: state.overtakenAt,
    migrateAt: state.migrateAt,
    movesLookedAt: state.movesLookedAt,
  }
}

/** Only what survives a restart: small however long the queue is, and restored like any other. */
export function snapshotLearnt(state: SchedulerState): Snapshot {
  return {
    format: snapshotFormat,
    settings: state.settings,
    nextRuntimeId: state.nextRuntimeId,
    nextArrival: state.nextArrival,
    draining: false,
    recovering: false,
    alarms: [],
    timerAt: null,
    decisionCount: state.decisions.total,
    learnt: [...state.learnt].map(([versionId, learnt]) => [versionId, copyLearnt(learnt)] as const),
    nodeSteps: [...state.nodeSteps].flatMap(([versionId, places]) =>
      [...places].map(([deviceId, all]) => [versionId, deviceId, all.map(copySteps)] as const),
    ),
    anticipation: anticipationOut(state.anticipation),
    pools: [...state.pools].map(poolOut),
    hintCounts: { ...state.hintCounts },
    sessions: [],
    hinted: [],
    preemption: { holdMs: state.preemption.holdMs, jobs: [] },
    fairness: { interactive: fairnessOut(createFairness()), batch: fairnessOut(createFairness()) },
    engineBytes: [...state.engineBytes],
    loadMsPerByte: state.loadMsPerByte,
    slowness: [...state.slowness],
    leastSlowness: state.leastSlowness,
    routing: routingOut(state.routing),
    staffedAt: null,
    peaksEndAt: null,
    random: state.random,
    devices: [],
    versions: [],
    jobs: [],
    allocations: [],
    workers: [],
    residencies: [],
    served: { interactive: 0, batch: 0 },
    overtakenAt: null,
    migrateAt: null,
    movesLookedAt: 0,
  }
}

/** Live jobs, then ended ones of which a worker still has a task. */
function knownJobs(state: SchedulerState): Set<Job> {
  const jobs = new Set(state.jobs.values())
  for (const { tasks } of state.workers.values()) for (const { job } of tasks) jobs.add(job)
  return jobs
}
