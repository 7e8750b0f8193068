/**
 * The real scheduler in a modelled world: workers that compose their own steps, take their time and die, a server that is restarted, users who cancel.
 * Everything comes from one seed. After every event the invariants are checked; at the end every job must have ended once.
 */
import { Audit } from '../scheduler/audit.ts'
import type { Command } from '../scheduler/commands.ts'
import { createState, step } from '../scheduler/core.ts'
import type { SchedulerEvent, TaskReport, WorkerExitCause } from '../scheduler/events.ts'
import type { JobId, Millis, TaskId, VersionId, WorkerId } from '../scheduler/ids.ts'
import { brokenInvariants } from '../scheduler/invariants.ts'
import { recordLine, recordOpening } from '../scheduler/recording.ts'
import { restore } from '../scheduler/restore.ts'
import { type Snapshot, snapshot } from '../scheduler/snapshot.ts'
import type { SchedulerState } from '../scheduler/state.ts'
import { scheduleFaults } from './faults.ts'
import { JobBook } from './job-book.ts'
import { Random } from './random.ts'
import { drawJob, drawScenario, type Faults, type Scenario } from './scenario.ts'
import { Timeline } from './timeline.ts'
import { type TaskNature, WorkerModel } from './worker-model.ts'

export interface SimulationResult {
  readonly seed: number
  /** Sentences; empty = all went well. */
  readonly problems: readonly string[]
  readonly events: number
  readonly submitted: number
  readonly succeeded: number
  readonly failed: number
  readonly cancelled: number
  readonly restarts: number
  readonly deaths: number
  /** The run as JSON lines, for `replay`. */
  readonly recording: readonly string[]
  /** Jobs that were quarantined, and those among them that would not have killed a worker. */
  readonly quarantined: number
  readonly wronglyQuarantined: number
}

const startOfTime: Millis = 1_000_000
/** What is left after the last fault has this long to end. */
const patienceMs = 600_000

/** `faults`: those that are to be as given, instead of drawn. */
export function simulate(seed: number, faults: Partial<Faults> = {}): SimulationResult {
  return new Simulation(seed, faults).run()
}

export class Simulation {
  readonly random: Random
  readonly timeline = new Timeline(startOfTime)
  readonly scenario: Scenario
  readonly jobs = new JobBook()
  readonly workers = new Map<WorkerId, WorkerModel>()
  readonly #seed: number
  readonly #audit: Audit
  readonly #natures = new Map<TaskId, TaskNature>()
  readonly #problems: string[] = []
  readonly #recording: string[] = []
  /** When the last message in each direction arrives: messages of one worker do not overtake each other. */
  readonly #arrivals = new Map<string, Millis>()
  #state: SchedulerState
  #firstRuntimeId = 1
  #timerSet = 0
  #nextJobId = 1
  #events = 0
  #restarts = 0
  #deaths = 0

  constructor(seed: number, faults: Partial<Faults> = {}) {
    this.#seed = seed
    this.random = new Random(seed)
    this.scenario = drawScenario(this.random, faults)
    this.#audit = new Audit(this.scenario.settings)
    this.#state = createState(this.scenario.settings, this.#firstRuntimeId)
    this.#recording.push(recordOpening(this.#state))
  }

  run(): SimulationResult {
    this.#announce()
    this.#submitForEver()
    scheduleFaults(this)
    const end = startOfTime + this.scenario.untilMs
    while (this.#problems.length === 0 && this.timeline.advance(end)) continue
    while (this.#problems.length === 0 && this.#audit.unfinished.size > 0 && this.timeline.advance(end + patienceMs))
      continue
    if (this.#problems.length === 0)
      for (const jobId of this.#audit.unfinished) this.#problems.push(`Job ${jobId} never ended.`)
    return {
      seed: this.#seed,
      problems: this.#problems,
      events: this.#events,
      submitted: this.#nextJobId - 1,
      succeeded: this.jobs.count('jobSucceeded'),
      failed: this.jobs.count('jobFailed'),
      cancelled: this.jobs.count('jobCancelled'),
      restarts: this.#restarts,
      deaths: this.#deaths,
      recording: this.#recording,
      quarantined: this.jobs.quarantined().length,
      wronglyQuarantined: this.jobs
        .quarantined()
        .filter(({ tasks }) => !tasks.some(({ taskId }) => this.#natureOf(taskId).poisonStep !== null)).length,
    }
  }

  get areFaultsOver(): boolean {
    return this.timeline.now >= startOfTime + this.scenario.untilMs
  }

  feed(event: SchedulerEvent): void {
    const { now } = this.timeline
    this.#events += 1
    try {
      const commands = step(this.#state, event, now)
      this.#recording.push(recordLine(now, event, commands))
      this.#audit.observe(event, commands)
      this.#problems.push(...this.#audit.problems.splice(0), ...brokenInvariants(this.#state))
      for (const command of commands) this.#carryOut(command)
    } catch (error) {
      this.#problems.push(`${event.type}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    }
  }

  /** The server dies with its workers and starts again: learnt values from the snapshot, jobs from the store. */
  restartServer(): void {
    this.#restarts += 1
    for (const worker of this.workers.values()) worker.die('signal')
    this.workers.clear()
    this.#arrivals.clear()
    this.#firstRuntimeId += 100_000
    this.#timerSet += 1
    this.swapState()
    this.feed({ type: 'serverRestarted', firstRuntimeId: this.#firstRuntimeId })
    this.#announce()
    const jobs = this.jobs.unfinished()
    if (jobs.length > 0) this.feed({ type: 'jobsRecovered', jobs })
  }

  /** Goes on from a copy that went through JSON, as if nothing had happened. */
  swapState(): void {
    const copy: Snapshot = JSON.parse(JSON.stringify(snapshot(this.#state)))
    this.#state = restore(copy)
  }

  #announce(): void {
    for (const device of this.scenario.devices) this.feed({ type: 'deviceAdded', device })
    for (const version of this.scenario.versions) this.feed({ type: 'versionRegistered', version })
  }

  #submitForEver(): void {
    this.timeline.after(this.random.gap(this.scenario.submissionGapMs), () => {
      if (this.areFaultsOver) return
      const drawn = Array.from({ length: this.random.chance(0.2) ? this.random.whole(2, 12) : 1 }, () =>
        drawJob(this.random, this.scenario, this.#takeJobId(), this.timeline.now),
      )
      for (const { spec, natures } of drawn) {
        this.jobs.submitted(spec)
        for (const [taskId, nature] of natures) this.#natures.set(taskId, nature)
      }
      this.feed({ type: 'jobsSubmitted', jobs: drawn.map(({ spec }) => spec) })
      this.#submitForEver()
    })
  }

  #takeJobId(): JobId {
    const jobId = this.#nextJobId as JobId
    this.#nextJobId += 1
    return jobId
  }

  #carryOut(command: Command): void {
    switch (command.type) {
      case 'spawnWorker':
        return this.#spawn(command.workerId)
      case 'stopWorker':
        return this.#send(command.workerId, (worker) => worker.die('requested'))
      case 'load':
        return this.#send(command.workerId, (worker) => this.#load(worker, command.versionId))
      case 'unload':
        return this.#send(command.workerId, (worker) => this.#unload(worker, command.versionId))
      case 'setPolicy':
        return this.#send(command.workerId, (worker) => worker.setPolicy(command.versionId, command))
      case 'admit':
        return this.#send(command.workerId, (worker) => worker.admit(command.tasks))
      case 'withdraw':
        return this.#send(command.workerId, (worker) => worker.withdraw(command.taskIds))
      case 'cancelTasks':
        return this.#send(command.workerId, (worker) => worker.cancel(command.taskIds))
      case 'setTimer':
        return this.#setTimer(command.at)
      case 'allocationChanged':
      case 'residencyChanged':
      case 'residencyEnded':
        return
      default:
        this.jobs.carriedOut(command)
    }
  }

  #setTimer(at: Millis | null): void {
    this.#timerSet += 1
    const set = this.#timerSet
    if (at !== null) this.timeline.at(at, () => this.#timerSet === set && this.feed({ type: 'timerFired' }))
  }

  #spawn(workerId: WorkerId): void {
    const { random, timeline } = this
    const worker = new WorkerModel(workerId, {
      timeline,
      random,
      natureOf: (taskId) => this.#natureOf(taskId),
      stepMsOf: (versionId) => this.scenario.stepMs.get(versionId) ?? 1,
      reported: (from, reports) => this.#reported(from, reports),
      exited: (from, cause) => this.#exited(from, cause),
    })
    this.workers.set(workerId, worker)
    if (random.chance(this.#chanceOf('spawnFails')))
      return timeline.after(random.between(0, 20), () => worker.die('spawn_failed'))
    const privateBytes = random.whole(10, 120) * 1024 * 1024
    timeline.after(random.between(20, 300), () =>
      this.#receive(worker, { type: 'workerReady', workerId, privateBytes }),
    )
  }

  #load(worker: WorkerModel, versionId: VersionId): void {
    const { random, timeline } = this
    const { workerId } = worker
    const isSlow = random.chance(this.#chanceOf('loadIsSlow'))
    const loadMs = (this.scenario.loadMs.get(versionId) ?? 100) * random.between(0.7, 1.3) * (isSlow ? 8 : 1)
    if (random.chance(this.#chanceOf('loadKills')))
      return timeline.after(random.between(0, loadMs), () => worker.die('exit_code'))
    if (random.chance(this.#chanceOf('loadFails'))) {
      const code = random.pick(['engine_error', 'out_of_memory'] as const)
      const retryable = random.chance(0.8)
      return timeline.after(random.between(0, loadMs), () =>
        this.#receive(worker, { type: 'modelLoadFailed', workerId, versionId, code, retryable }),
      )
    }
    const spec = this.scenario.versions.find((version) => version.versionId === versionId)
    const weightsBytes = Math.round((spec?.weightsBytes ?? 0) * random.between(0.9, 1.05))
    const privateBytes = Math.round((spec?.workingBytes ?? 0) * random.between(0.3, 1.2))
    timeline.after(loadMs, () => {
      worker.addModel(versionId)
      this.#receive(worker, { type: 'modelLoaded', workerId, versionId, loadMs, weightsBytes, privateBytes })
    })
  }

  #unload(worker: WorkerModel, versionId: VersionId): void {
    if (worker.hasTasksOf(versionId))
      this.#problems.push(`Version ${versionId} is unloaded from worker ${worker.workerId} under its tasks.`)
    worker.removeModel(versionId)
    this.timeline.after(this.random.between(1, 30), () =>
      this.#receive(worker, { type: 'modelUnloaded', workerId: worker.workerId, versionId }),
    )
  }

  #reported(worker: WorkerModel, reports: readonly TaskReport[]): void {
    this.#receive(worker, { type: 'stepsReported', workerId: worker.workerId, reports })
  }

  /** What it said before is read first; then it is gone. */
  #exited(worker: WorkerModel, cause: WorkerExitCause): void {
    this.#deaths += 1
    this.#deliver(`from ${worker.workerId}`, () => {
      if (!this.workers.delete(worker.workerId)) return
      this.feed({ type: 'workerExited', workerId: worker.workerId, cause })
    })
  }

  #send(workerId: WorkerId, act: (worker: WorkerModel) => void): void {
    const worker = this.workers.get(workerId)
    if (worker) this.#deliver(`to ${workerId}`, () => worker.isDead || act(worker))
  }

  #receive(worker: WorkerModel, event: SchedulerEvent): void {
    if (worker.isDead) return
    this.#deliver(`from ${worker.workerId}`, () => this.workers.get(worker.workerId) === worker && this.feed(event))
  }

  #deliver(way: string, arrive: () => void): void {
    const at = Math.max(this.timeline.now + this.random.between(0, 2), this.#arrivals.get(way) ?? 0)
    this.#arrivals.set(way, at)
    this.timeline.at(at, arrive)
  }

  #natureOf(taskId: TaskId): TaskNature {
    const nature = this.#natures.get(taskId)
    if (!nature) throw new Error(`Task ${taskId} was never submitted.`)
    return nature
  }

  #chanceOf(fault: 'spawnFails' | 'loadFails' | 'loadKills' | 'loadIsSlow'): number {
    return this.areFaultsOver ? 0 : this.scenario.faults[fault]
  }
}
