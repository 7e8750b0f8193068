/**
 * The real scheduler in a modelled world: workers that compose their own steps, take their time and die, a server that is restarted, users who cancel.
 * Everything comes from one seed. After every event the invariants are checked; at the end every job must have ended once.
 */
import { Audit } from '../scheduler/audit/audit.ts'
import { brokenInvariants } from '../scheduler/audit/invariants.ts'
import type { Command } from '../scheduler/commands.ts'
import { createState, step } from '../scheduler/core.ts'
import type { SchedulerEvent } from '../scheduler/events.ts'
import type { DeviceId, JobId, Millis, TaskId, VersionId } from '../scheduler/ids.ts'
import type { SchedulerSettings } from '../scheduler/settings.ts'
import { recordLine, recordOpening } from '../scheduler/snapshot/recording.ts'
import { restore } from '../scheduler/snapshot/restore.ts'
import { type Snapshot, snapshot } from '../scheduler/snapshot/snapshot.ts'
import type { SchedulerState } from '../scheduler/state.ts'
import { drawJob } from './drawn-jobs.ts'
import { scheduleFaults } from './faults.ts'
import { JobBook } from './job-book.ts'
import { JumpingClock } from './jumping-clock.ts'
import { ModelFiles } from './model-files.ts'
import type { TaskNature } from './modelled-task.ts'
import { ModelledWorkers, type WorkerCommand } from './modelled-workers.ts'
import { Random } from './random.ts'
import { drawScenario, type Faults, type Scenario } from './scenario.ts'
import { Timeline } from './timeline.ts'

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
  readonly hangs: number
  readonly partitions: number
  readonly deviceLosses: number
  readonly clockJumps: number
  /** Times that files had to be read again, jobs that lost an attempt to changed files, and jobs that failed because their version was gone. */
  readonly checks: number
  readonly stale: number
  readonly gone: number
  /** Jobs that came to rest and went on, tasks that went on from a checkpoint, outputs that were taken from the worker that held them. */
  readonly pauses: number
  readonly resumptions: number
  readonly restored: number
  readonly taken: number
  /** Leases that were taken back. */
  readonly revocations: number
  /** The run as JSON lines, for `replay`. */
  readonly recording: readonly string[]
  /** Jobs that were quarantined, and those among them that would not have killed a worker. */
  readonly quarantined: number
  readonly wronglyQuarantined: number
}

const startOfTime: Millis = 1_000_000
/** What is left after the last fault has this long to end. */
const patienceMs = 600_000
/** What happens at one moment has an end. */
const happeningsAtOnceMax = 10_000

/** `faults` and `settings`: those that are to be as given, instead of drawn. */
export function simulate(
  seed: number,
  faults: Partial<Faults> = {},
  settings: Partial<SchedulerSettings> = {},
): SimulationResult {
  return new Simulation(seed, faults, settings).run()
}

export class Simulation {
  readonly random: Random
  readonly timeline = new Timeline(startOfTime)
  readonly clock = new JumpingClock(this.timeline)
  readonly scenario: Scenario
  readonly jobs = new JobBook()
  readonly workers: ModelledWorkers
  readonly files: ModelFiles
  readonly #seed: number
  readonly #audit: Audit
  readonly #natures = new Map<TaskId, TaskNature>()
  readonly #problems: string[] = []
  readonly #recording: string[] = []
  #state: SchedulerState
  #firstRuntimeId = 1
  #timerSet = 0
  #latest: Millis = 0
  #atOnce = 0
  #nextJobId = 1
  #events = 0
  #restarts = 0
  #checks = 0
  #restored = 0
  #taken = 0
  #revocations = 0
  #deviceLosses = 0

  constructor(seed: number, faults: Partial<Faults>, settings: Partial<SchedulerSettings>) {
    this.#seed = seed
    this.random = new Random(seed)
    this.scenario = drawScenario(this.random, faults, settings)
    this.files = new ModelFiles(this, this.scenario.versions)
    this.workers = new ModelledWorkers(this)
    this.#audit = new Audit(this.scenario.settings)
    this.#state = createState(this.scenario.settings, this.#firstRuntimeId)
    this.#recording.push(recordOpening(this.#state))
  }

  run(): SimulationResult {
    this.#announce()
    this.#submitForEver()
    scheduleFaults(this)
    const end = startOfTime + this.scenario.untilMs
    while (this.#goesOn(end)) continue
    while (this.#audit.unfinished.size > 0 && this.#goesOn(end + patienceMs)) continue
    // After another problem that says nothing new.
    const lost = this.#problems.length === 0 ? [...this.#audit.unfinished] : []
    this.#problems.push(...lost.map((jobId) => `Job ${jobId} never ended.`))
    return {
      seed: this.#seed,
      problems: this.#problems,
      events: this.#events,
      submitted: this.#nextJobId - 1,
      succeeded: this.jobs.count('jobSucceeded'),
      failed: this.jobs.count('jobFailed'),
      cancelled: this.jobs.count('jobCancelled'),
      restarts: this.#restarts,
      deaths: this.workers.deaths,
      hangs: this.workers.troubles.hangs,
      partitions: this.workers.troubles.partitions,
      deviceLosses: this.#deviceLosses,
      clockJumps: this.clock.jumps,
      checks: this.#checks,
      stale: this.jobs.staleAttempts,
      gone: this.jobs.countFailed('MODEL_VERSION_GONE'),
      pauses: this.jobs.pauses,
      resumptions: this.jobs.resumptions,
      restored: this.#restored,
      taken: this.#taken,
      revocations: this.#revocations,
      recording: this.#recording,
      quarantined: this.jobs.quarantined().length,
      wronglyQuarantined: this.jobs
        .quarantined()
        .filter(({ tasks }) => !tasks.some(({ taskId }) => this.natureOf(taskId).poisonStep !== null)).length,
    }
  }

  get areFaultsOver(): boolean {
    return this.timeline.now >= startOfTime + this.scenario.untilMs
  }

  feed(event: SchedulerEvent): void {
    const now = this.clock.now()
    this.#events += 1
    const commands = step(this.#state, event, now)
    this.#recording.push(recordLine(now, event, commands))
    this.#audit.observe(event, commands)
    this.#problems.push(...this.#audit.problems.splice(0), ...brokenInvariants(this.#state))
    for (const command of commands) this.#carryOut(command)
  }

  deviceLost(deviceId: DeviceId): void {
    this.#deviceLosses += 1
    this.feed({ type: 'deviceLost', deviceId })
  }

  /** The server dies with its workers and starts again: learnt values from the snapshot, jobs from the store. */
  restartServer(): void {
    this.#restarts += 1
    this.workers.vanish()
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

  /** The next thing happens, if there is one before `end` and nothing has gone wrong. */
  #goesOn(end: Millis): boolean {
    try {
      if (this.#goesInCircles()) this.#problems.push(`The world goes in circles at ${this.timeline.now} ms.`)
      return this.#problems.length === 0 && this.timeline.advance(end)
    } catch (error) {
      this.#problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
      return false
    }
  }

  #goesInCircles(): boolean {
    this.#atOnce = this.timeline.now === this.#latest ? this.#atOnce + 1 : 0
    this.#latest = this.timeline.now
    return this.#atOnce > happeningsAtOnceMax
  }

  #announce(): void {
    for (const device of this.scenario.devices) this.feed({ type: 'deviceAdded', device })
    this.files.registerAll()
  }

  #submitForEver(): void {
    this.timeline.after(this.random.gap(this.scenario.submissionGapMs), () => {
      if (this.areFaultsOver) return
      const drawn = Array.from({ length: this.random.chance(0.2) ? this.random.whole(2, 12) : 1 }, () =>
        drawJob(this.random, this.scenario, this.#takeJobId(), this.clock.now()),
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
    if (command.type === 'setTimer') this.#setTimer(command.at)
    else if (command.type === 'checkVersion') this.#check(command.versionId)
    else if (
      command.type === 'allocationChanged' ||
      command.type === 'residencyChanged' ||
      command.type === 'residencyEnded' ||
      command.type === 'pinDropped'
    )
      return
    else if ('jobId' in command) this.jobs.carriedOut(command)
    else this.#speakToWorker(command)
  }

  #speakToWorker(command: WorkerCommand): void {
    if (command.type === 'revokeLease') this.#revocations += 1
    if (command.type === 'admit') {
      this.#restored += command.tasks.filter(({ isRestored }) => isRestored).length
      this.#taken += command.tasks.filter(({ inputs }) => inputs.length > 0).length
    }
    this.workers.carryOut(command)
  }

  #check(versionId: VersionId): void {
    this.#checks += 1
    this.files.check(versionId)
  }

  #setTimer(at: Millis | null): void {
    this.#timerSet += 1
    const set = this.#timerSet
    if (at !== null)
      this.timeline.after(
        Math.max(1, at - this.clock.now()),
        () => this.#timerSet === set && this.feed({ type: 'timerFired' }),
      )
  }

  saved(taskId: TaskId, step: number): void {
    this.jobs.saved(taskId, step)
  }

  readonly savedSteps = (taskId: TaskId): number => this.jobs.savedSteps(taskId)

  /** What a task is like, for the worker that runs it. */
  readonly natureOf = (taskId: TaskId): TaskNature => {
    const nature = this.#natures.get(taskId)
    if (!nature) throw new Error(`Task ${taskId} was never submitted.`)
    return nature
  }
}
