/**
 * What the scheduler knows: devices, versions, workers, residencies, allocations, jobs and tasks. Updated in place by `step` and by nothing else;
 * others read it through `explain.ts`, `ledgerOf`, `runningJobs` and `snapshot`.
 */
import type { DeviceLoad } from './batching/load-of-device.ts'
import type { StepsByPlace } from './batching/node-steps.ts'
import type { StepLimits } from './batching/step-policy.ts'
import type { AllocationPurpose, AllocationState, RequeueCause, ResidencyState } from './commands.ts'
import { type Anticipation, noAnticipation } from './demand/anticipation.ts'
import type { Hint, HintCounts } from './demand/hints.ts'
import type { SessionPace } from './demand/sessions.ts'
import type { DeviceSpec, PauseCause, PriorityClass, TaskStage, VersionSpec } from './events.ts'
import type { Pool } from './eviction/pool.ts'
import { DecisionRing } from './explain/decision-ring.ts'
import { createFairness, type Fairness, type JobShare } from './fairness/flows.ts'
import type { WorkClock } from './fairness/work-clock.ts'
import type {
  AllocationId,
  DeviceId,
  JobId,
  Millis,
  ResidencyId,
  SessionId,
  TaskId,
  UserId,
  VersionId,
  WorkerId,
} from './ids.ts'
import type { MemoryClimb } from './jobs/memory-climb.ts'
import type { Learnt } from './learning/learning.ts'
import type { Pin } from './pins/pins.ts'
import { Fleet } from './placement/fleet.ts'
import type { Migration } from './placement/migration.ts'
import type { Served } from './placement/overtaking.ts'
import { noRoutingMemory, type RoutingMemory } from './placement/policies/memory.ts'
import type { Forecast } from './placement/policies/outcomes.ts'
import { type Urgency, WantedList } from './placement/wanted-list.ts'
import { createPreemption, type Preemption } from './preemption/preempted.ts'
import type { Pressure } from './pressure/levels.ts'
import { Heap } from './queues/heap.ts'
import { OrderedQueue } from './queues/ordered-queue.ts'
import type { SchedulerSettings } from './settings.ts'
import type { MemorySample } from './workers/growth.ts'

export interface SchedulerState {
  readonly settings: SchedulerSettings
  /** Next number for a worker, residency or allocation. */
  nextRuntimeId: number
  /** Number of the next job or task that comes. */
  nextArrival: number
  /** No admissions, loads or starts of workers any more. */
  draining: boolean
  /** Jobs of a former process are here and no worker has come up since. */
  recovering: boolean
  readonly devices: Map<DeviceId, Device>
  readonly versions: Map<VersionId, Version>
  readonly workers: Map<WorkerId, Worker>
  readonly residencies: Map<ResidencyId, LiveResidency>
  readonly allocations: Map<AllocationId, LiveAllocation>
  readonly jobs: Map<JobId, Job>
  /** Every task that a worker has. */
  readonly tasks: Map<TaskId, Task>
  /** Jobs that wait (QUEUED or LOADING), in today's order. */
  readonly waiting: Readonly<Record<PriorityClass, OrderedQueue<Job>>>
  /** Devices that take interactive work only. */
  readonly reserved: Set<Device>
  /** Batch jobs that had to make way for interactive work. */
  readonly preemption: Preemption
  /** Who has had how much, by class. */
  readonly fairness: Readonly<Record<PriorityClass, Fairness>>
  readonly runningCount: Record<PriorityClass, number>
  readonly pausedCount: Record<PriorityClass, number>
  /** The devices, for whoever looks for some of them. */
  readonly fleet: Fleet
  /** Versions that are to be loaded somewhere, and could not be yet. */
  readonly wanted: WantedList
  /** Versions for which a load is to be tried again at a time. */
  readonly retries: Heap<Version>
  /** Jobs that have begun. */
  readonly served: Served
  /** When so many have begun, one that waits for its model may have been overtaken too often; null = none waits. */
  overtakenAt: number | null
  /** Jobs with a deadline of which no task may step at a worker; the worker watches over the others. */
  readonly deadlines: Heap<Job>
  /** Jobs with a deadline that may have to go ahead of others for it. */
  readonly approaching: Heap<Job>
  /** Times at which something held back may go on; ascending, each once. */
  readonly alarms: Millis[]
  /** The timer that the shell was asked for. */
  timerAt: Millis | null
  /** Slots whose circuit is not closed. */
  readonly unsteady: Set<Slot>
  /** Slots whose worker has served long, or hands over. */
  readonly recycling: Set<Slot>
  /** Survives restarts. */
  readonly learnt: Map<VersionId, Learnt>
  /** What is known of steps, by version and device. Survives restarts. */
  readonly nodeSteps: StepsByPlace
  /** Jobs that wait for memory, or avoid a device, until a time that an alarm was set for. */
  readonly climbing: Set<Job>
  /** Devices on which interactive work comes often just now. */
  readonly peaks: Set<Device>
  /** When the first of their peaks may be over; null = there is none. */
  peaksEndAt: Millis | null
  /** Devices that are short of memory. */
  readonly pressed: Set<Device>
  /** What makes the next job likely to be one of a version. Survives restarts. */
  anticipation: Anticipation
  /** Devices that are alike, by what they are like. What was learnt about eviction there survives restarts. */
  readonly pools: Map<string, Pool>
  /** Whoever came longest ago is first. */
  readonly sessions: Map<SessionId, SessionPace>
  /** Versions that somebody is expected to ask for. */
  readonly hinted: Set<Version>
  readonly hintCounts: HintCounts
  /** Private memory of a fresh worker, by engine. Survives restarts. */
  readonly engineBytes: Map<string, number>
  /** Over all versions. Survives restarts. */
  loadMsPerByte: number | null
  /** How long work takes on a device, as a part of what it takes on the whole. Survives restarts. */
  readonly slowness: Map<DeviceId, number>
  /** The least of them, of late. */
  leastSlowness: number
  /** When it is looked at next who should move to a faster device; null = devices do not differ. */
  migrateAt: Millis | null
  /** Where the look at the versions goes on. */
  movesLookedAt: number
  readonly routing: RoutingMemory
  /** When it was last looked for workers and spares that are missing. */
  staffedAt: Millis | null
  /** What the next random draw comes from. */
  random: number
  readonly decisions: DecisionRing
}

export interface Device {
  /** By device id, where devices are kept in order. */
  readonly order: number
  readonly arrival: number
  /** Where `fleet` has it. */
  readonly place: { isIdle: boolean; bucket: number }
  spec: DeviceSpec
  allocatedBytes: number
  reservedBytes: number
  externalBytes: number
  /** Part of allocated and reserved that is weights. */
  weightsBytes: number
  /** The pool it is counted in, and what it adds to its memory. */
  pooled: { readonly key: string; readonly limitBytes: number } | null
  /** It does not answer any more: nothing is begun there until it is back. */
  isLost: boolean
  /** Tasks that its workers hold and may step. */
  admitted: number
  loading: LiveResidency | null
  /** Of jobs that are bound to it, the tasks that wait, where they are served strictly in order; null = they are not. */
  line: OrderedQueue<Task> | null
  /** Expected time of the jobs that are bound to it. */
  boundMs: number
  /** When it last took part in a move. */
  migratedAt: Millis | null
  /** What is to be loaded there next. */
  claim: Version | null
  /** Interactive and batch work of its workers take turns; null = there is no need to. */
  leaseTurn: LeaseTurn | null
  /** Measures the work of its tasks. */
  readonly clock: WorkClock
  readonly load: DeviceLoad
  readonly pressure: Pressure
  /** Jobs that were paused because the device was critical, and go on when it is not; some may have ended meanwhile. */
  readonly heldJobs: Set<Job>
  readonly slots: Map<string, Slot>
  readonly residencies: Set<LiveResidency>
}

/** Whose turn it is on a device, and until when. */
export interface LeaseTurn {
  readonly isBatch: boolean
  readonly endsAt: Millis
}

/** The place of an engine on a device: its one worker, and the spares that may take over. */
export interface Slot {
  readonly device: Device
  readonly engine: string
  primary: Worker | null
  /** It served long, and hands over to the primary; until then both have models. */
  retiring: Worker | null
  readonly spares: Worker[]
  /** Deaths in a row without progress between them. */
  deaths: number
  lastDeathAt: Millis | null
  /** No worker is started before. */
  notBefore: Millis
  restartCount: number
  /**
   * closed: it is trusted. probing: its workers died again and again, or its device was lost; it gets one task at a time until one has ended well.
   * recovering: half of what it usually gets, until `recoversAt`.
   */
  circuit: 'closed' | 'probing' | 'recovering'
  recoversAt: Millis | null
  /** Times that the circuit has opened since it was last closed. */
  openings: number
}

export interface Worker {
  readonly workerId: WorkerId
  readonly slot: Slot
  state: 'starting' | 'ready' | 'stopping'
  /** Restarts of its slot before it took its place there. */
  restartCount: number
  /** In the order of admission. */
  readonly tasks: Set<Task>
  readonly residencies: Map<VersionId, LiveResidency>
  /** A suspect that is to have this worker for itself, or has it. Nothing else is admitted meanwhile. */
  alone: Task | null
  /** It has not answered for a while; nothing more is given to it until it has, or is gone. */
  isSuspected: boolean
  /** Whether it may step on its device. revoking: it was told to stop, and has not said yet that it has. */
  lease: 'held' | 'revoking' | 'revoked'
  /** Tasks that have come to their ends there. */
  served: number
  /** How its private memory went. */
  readonly memory: MemorySample[]
  readonly runtime: LiveAllocation
}

export interface Version {
  spec: VersionSpec
  readonly learnt: Learnt
  /** Tasks of jobs without a home that may be admitted, by class, first come first. */
  readonly lanes: Lanes
  /** Tasks of jobs that are bound to a device, by device. */
  readonly bound: Map<Device, BoundLanes>
  /** Tasks that were in a fatal step: each is retried alone, before others. */
  readonly suspects: OrderedQueue<Task>
  /** The worker that one of them has been given; it stays in `suspects` until it is admitted. */
  aloneAt: Worker | null
  readonly residencies: LiveResidency[]
  /** Jobs that were told that the version loads for them. */
  readonly loadingJobs: Set<Job>
  /** Loads that somebody asked for and that have not begun; null = on any device. */
  requests: (DeviceId | null)[]
  /** Where it is to stay; each once. */
  pins: Pin[]
  hint: Hint | null
  /** Sessions whose latest job was one of it. */
  readonly sessions: Set<SessionId>
  /** It was resident in a worker that died, or until its files were found changed: bring it back when there is room. */
  rewarm: boolean
  /**
   * Of its files, as far as is known. checking: a worker found them changed, and they are read again; nothing loads it until then. replaced: others
   * lie in their place; what is resident goes on, and nothing loads it any more.
   */
  standing: 'current' | 'checking' | 'replaced'
  /** Times that its files had to be read again since a task of it has ended well. */
  staleInARow: number
  /** Failed loads in a row. */
  loadFailures: number
  /** No load is tried before. */
  notBefore: Millis
  /** Its place in `wanted`; null = it is not there. */
  urgency: Urgency | null
  /** The device where room is made for it, or its engine starts: nobody less urgent takes what it needs there. */
  claimed: Device | null
  /** A load is tried again then; `retrySlot`: its place in `retries`, -1 = it is not there. */
  retryAt: Millis | null
  retrySlot: number
  /** It moves: a copy is loaded, and then the former one goes. */
  migration: Migration | null
  migratedAt: Millis | null
  /** What had begun when jobs began to wait for it to be loaded; null = none do. */
  servedAtWant: Served | null
  /** When it was last considered whether another copy would pay. */
  weighedAt: Millis | null
  /** In `wanted` since. */
  wantedSince: Millis | null
  /** Since when only memory is missing. */
  shortSince: Millis | null
  /** Somebody was asked to make room for it: it is first in line for what becomes free. */
  isOwedRoom: boolean
}

/** Where tasks of a version wait whose jobs are bound to a device. */
export interface BoundLanes {
  readonly device: Device
  readonly version: Version
  readonly lanes: Lanes
}

export type Lanes = Readonly<Record<PriorityClass, OrderedQueue<Task>>>

export interface LiveResidency {
  readonly residencyId: ResidencyId
  readonly version: Version
  readonly worker: Worker
  state: ResidencyState
  /** Tasks that the worker holds for it and may step, those of interactive class among them, and those that have started. */
  admitted: number
  interactive: number
  running: number
  /** Tasks that the worker keeps paused for it. */
  parked: number
  /** Jobs whose tasks run here and nowhere else. */
  readonly jobs: Set<Job>
  /** Tasks of those jobs that may be admitted. */
  readonly lanes: Lanes
  /** Places, in the version's list, of the components that are there; all of them once it is resident. */
  readonly components: Set<number>
  /** How its worker was told to compose steps. */
  told: StepLimits
  readonly weights: LiveAllocation
  readonly working: LiveAllocation
  readonly loadStartedAt: Millis
  loadedAt: Millis | null
  lastUsedAt: Millis | null
  /** When interactive work used it last. */
  interactiveAt: Millis | null
  /** Since when it has been saturated and nothing has ended: the start of the interval that the next end closes. */
  saturatedSince: Millis | null
  /** Why it is to end; while it loads, after that. */
  ending: 'unloaded' | 'evicted' | 'load_failed' | null
  unloadSent: boolean
  /** A worker that served long has it, and its successor has a copy: jobs that begin go there. */
  isRetiring: boolean
}

export interface LiveAllocation {
  readonly allocationId: AllocationId
  readonly device: Device
  readonly purpose: AllocationPurpose
  state: AllocationState
  readonly predictedBytes: number
  sizeBytes: number
  measuredBytes: number | null
  readonly workerId: WorkerId
  readonly residencyId: ResidencyId | null
  /** Whose paused state or held output it is. */
  readonly jobId: JobId | null
}

export interface Job {
  readonly jobId: JobId
  readonly userId: UserId | null
  readonly sessionId: SessionId | null
  readonly weight: number
  readonly work: number
  readonly class: PriorityClass
  readonly submittedAt: Millis
  readonly deadlineAt: Millis | null
  /** Counts what came in. */
  readonly arrival: number
  /** Its turn among what waits: lower goes first, and among equals who came first. Its tasks have the same. */
  order: number
  /** What it has of what its user and session may have. */
  readonly share: JobShare
  /** Of all its tasks. */
  readonly version: Version
  tasks: readonly Task[]
  /** As users see it; while it runs, with `stage`. */
  state: 'queued' | 'loading' | 'running' | 'paused'
  stage: TaskStage
  /** 0 = has never been active. */
  attempt: number
  failedAttempts: number
  deathsAlone: number
  /** Attempts that ended because the model's files had changed; they do not count as failed. */
  staleAttempts: number
  cancelRequested: boolean
  /** Why it is to pause; null = it is to go on. It is `paused` when none of its tasks may step any more. */
  pauseCause: PauseCause | null
  /** Work that users had seen was lost while it was paused: when it goes on, that is another attempt. */
  setback: RequeueCause | null
  /** What has been done for it for want of memory. */
  memory: MemoryClimb
  /** Tasks done and steps saved when its home was last unloaded under it; -1 = never. It is stuck if that was no more than the time before. */
  gained: number
  isStuck: boolean
  /** What was expected when its device was chosen; null = nobody chose one, or it tells nothing any more. */
  forecast: Forecast | null
  /** Where its tasks run, and outputs are held for those to come; null = wherever the next one is admitted. */
  home: LiveResidency | null
  /** The device that it was given when it came; null = it runs wherever there is room first. */
  boundTo: Device | null
  /** What it is expected to take there. */
  boundMs: number
  tasksAtWorkers: number
  /** Those among them that may step: not the paused ones. */
  tasksStepping: number
  tasksLeft: number
  /** Its place in `deadlines`; -1 = not there. */
  deadlineSlot: number
}

export interface Task {
  readonly taskId: TaskId
  readonly job: Job
  readonly version: Version
  readonly stage: TaskStage
  readonly isHeld: boolean
  readonly components: readonly number[]
  /** Those that must have ended before it, and those that wait for it. */
  after: readonly Task[]
  followers: readonly Task[]
  readonly arrival: number
  readonly order: number
  /**
   * blocked: a predecessor has not ended, or its job is paused, cancelled, or about to leave its home. waiting: in a lane. suspect: waits to be retried
   * alone. admitted, started: at a worker. pausing: was told to pause there. paused: left out of steps there. recalled: its worker was told to drop it
   * and its job goes on. abandoned: at a worker, but its job has ended.
   */
  state:
    | 'blocked'
    | 'waiting'
    | 'suspect'
    | 'admitted'
    | 'started'
    | 'pausing'
    | 'paused'
    | 'recalled'
    | 'done'
    | 'abandoned'
  /** Where it is admitted. */
  residency: LiveResidency | null
  startedAt: Millis | null
  /** When its worker spoke of it last, since it has started there. */
  reportedAt: Millis | null
  /** Its device's clock of work when it began to take part in steps. */
  workSince: number
  /** Steps that its worker has reported. */
  stepsDone: number
  /** Steps that lie behind its newest checkpoint; null = it has none. */
  checkpointStep: number | null
  /** Its output, while the home of its job holds it. */
  heldOutput: LiveAllocation | null
  /** Its state, while a worker keeps it paused: it takes part in no step. */
  pausedState: LiveAllocation | null
  /** A worker died in a step of it: it is tried alone, until it has ended in some way. */
  isSuspect: boolean
  /** Deaths of a worker that had it and had reported nothing started. */
  unstartedDeaths: number
}

/** Nothing known yet. `firstRuntimeId`: from here on, numbers for workers, residencies and allocations are free. */
export function createState(settings: SchedulerSettings, firstRuntimeId: number): SchedulerState {
  return {
    settings,
    nextRuntimeId: firstRuntimeId,
    nextArrival: 1,
    draining: false,
    recovering: false,
    devices: new Map(),
    versions: new Map(),
    workers: new Map(),
    residencies: new Map(),
    allocations: new Map(),
    jobs: new Map(),
    tasks: new Map(),
    waiting: { interactive: new OrderedQueue(), batch: new OrderedQueue() },
    reserved: new Set(),
    preemption: createPreemption(settings.preemptionHoldMsMin),
    fairness: { interactive: createFairness(), batch: createFairness() },
    runningCount: { interactive: 0, batch: 0 },
    pausedCount: { interactive: 0, batch: 0 },
    fleet: new Fleet(),
    wanted: new WantedList(),
    retries: createRetries(),
    served: { interactive: 0, batch: 0 },
    overtakenAt: null,
    deadlines: createDeadlines(),
    approaching: createApproaching(),
    alarms: [],
    timerAt: null,
    unsteady: new Set(),
    recycling: new Set(),
    learnt: new Map(),
    nodeSteps: new Map(),
    climbing: new Set(),
    peaks: new Set(),
    peaksEndAt: null,
    pressed: new Set(),
    anticipation: noAnticipation(),
    pools: new Map(),
    sessions: new Map(),
    hinted: new Set(),
    hintCounts: { used: 0, expired: 0 },
    engineBytes: new Map(),
    loadMsPerByte: null,
    slowness: new Map(),
    leastSlowness: 1,
    migrateAt: null,
    movesLookedAt: 0,
    routing: noRoutingMemory(),
    staffedAt: null,
    random: 1,
    decisions: new DecisionRing(settings.decisionRingSize),
  }
}

function createRetries(): Heap<Version> {
  const isBefore = (a: Version, b: Version) =>
    a.retryAt === b.retryAt ? a.spec.versionId < b.spec.versionId : Number(a.retryAt) < Number(b.retryAt)
  return new Heap(isBefore, (version, slot) => {
    version.retrySlot = slot
  })
}

function createApproaching(): Heap<Job> {
  return new Heap((a, b) =>
    a.share.hurryAt === b.share.hurryAt ? a.arrival < b.arrival : Number(a.share.hurryAt) < Number(b.share.hurryAt),
  )
}

function createDeadlines(): Heap<Job> {
  const isBefore = (a: Job, b: Job) =>
    a.deadlineAt === b.deadlineAt ? a.arrival < b.arrival : Number(a.deadlineAt) < Number(b.deadlineAt)
  return new Heap(isBefore, (job, slot) => {
    job.deadlineSlot = slot
  })
}

export const priorityClasses = ['interactive', 'batch'] as const satisfies readonly PriorityClass[]

/** Tasks of the version that any residency of it could take. */
export function backlogOf(version: Version): number {
  return version.lanes.interactive.size + version.lanes.batch.size + version.suspects.size
}

/** It is there, or on its way, and is to stay. */
export function isLive(residency: LiveResidency): boolean {
  return residency.state !== 'evicting' && residency.ending === null
}

/** Nothing will ever run on it again, unless it is registered anew. */
export function isGone(version: Version): boolean {
  return version.standing === 'replaced' && !version.residencies.some(isLive)
}

export function deviceOf(residency: LiveResidency): Device {
  return residency.worker.slot.device
}

/** Sets do not keep their order in snapshots, so whoever goes through one goes by ids. */
export function devicesInOrder(devices: Iterable<Device>): Device[] {
  return [...devices].sort((a, b) => a.spec.deviceId - b.spec.deviceId)
}

/** The same order in whatever order they came. */
export function slotsInOrder(slots: Iterable<Slot>): Slot[] {
  return [...slots].sort(
    (a, b) =>
      a.device.spec.deviceId - b.device.spec.deviceId || (a.engine < b.engine ? -1 : a.engine > b.engine ? 1 : 0),
  )
}

/** Workers of a device that may have models. */
export function* servingWorkers(device: Device): Generator<Worker> {
  for (const { primary, retiring } of device.slots.values()) {
    if (primary) yield primary
    if (retiring) yield retiring
  }
}

/** Tasks of a worker that may step. */
export function steppingTasks({ residencies }: Worker): number {
  let count = 0
  for (const { admitted } of residencies.values()) count += admitted
  return count
}
