/**
 * A worker as the scheduler meets it: it composes its steps by `chooseStep`, takes as long as chance says, reports what PROTOCOL.md tells it to, and
 * dies where a fault or a poisonous task kills it; it compares its models' files before and after every step. It holds outputs, pauses, saves states,
 * interrupts steps and gives back its lease as it is told. What it reported before its death still arrives; nothing does after it.
 */
import type { Admission } from '../scheduler/commands.ts'
import type { StepSample, TaskReport, WorkerExitCause } from '../scheduler/events.ts'
import type { Millis, TaskId, VersionId, WorkerId } from '../scheduler/ids.ts'
import { chooseStep, type ReadyTask, type StepChoice } from './choose-step.ts'
import { ClassSlices } from './class-slices.ts'
import { HeldOutputs } from './held-outputs.ts'
import { LoadedModels } from './loaded-models.ts'
import {
  mayInterrupt,
  modelledNode,
  type RunningStep,
  readyTask,
  stageFirst,
  type WorkerPolicy,
} from './modelled-step.ts'
import { createTask, type ModelledTask, outcomeOf, type TaskNature } from './modelled-task.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'
import { WorkerTasks } from './worker-tasks.ts'

export interface WorkerSurroundings {
  readonly timeline: Timeline
  readonly random: Random
  readonly natureOf: (taskId: TaskId) => TaskNature
  readonly stepMsOf: (versionId: VersionId) => number
  /** Steps in the newest checkpoint that the server has; 0 = it has none. */
  readonly savedSteps: (taskId: TaskId) => number
  reported(worker: WorkerModel, reports: readonly TaskReport[]): void
  checkpointed(worker: WorkerModel, taskId: TaskId, step: number): void
  /** A step of the version has ended; `tooLarge`: it was taken apart for want of memory. */
  stepped(worker: WorkerModel, versionId: VersionId, sample: StepSample, tooLarge: boolean): void
  leaseRevoked(worker: WorkerModel): void
  exited(worker: WorkerModel, cause: WorkerExitCause): void
}

/** Of the steps of several states, those that did not fit into memory. */
const tooLargeShare = 0.01
/** A step expected to be longer is announced before it begins. */
const announcedStepMs = 5

export class WorkerModel {
  readonly workerId: WorkerId
  readonly models = new LoadedModels()
  readonly #world: WorkerSurroundings
  readonly #tasks = new WorkerTasks<ModelledTask>()
  readonly #outputs = new HeldOutputs()
  readonly #policies = new Map<number, WorkerPolicy>()
  readonly #classes = new ClassSlices()
  #step: RunningStep | null = null
  #lease: 'held' | 'owed' | 'revoked' = 'held'
  #isDead = false
  #isHung = false
  /** Its steps take so many times as long. */
  slowness = 1

  constructor(workerId: WorkerId, world: WorkerSurroundings) {
    this.workerId = workerId
    this.#world = world
  }

  get isDead(): boolean {
    return this.#isDead
  }

  get isHung(): boolean {
    return this.#isHung
  }

  /** Nothing comes of what it has, and nothing more is said. */
  hang(): void {
    this.#isHung = true
    this.#step = null
  }

  removeModel(versionId: VersionId): void {
    for (const { taskId, nature } of this.#tasks.values()) {
      if (nature.versionId === versionId)
        throw new Error(`Version ${versionId} is unloaded under task ${taskId} of worker ${this.workerId}.`)
    }
    this.models.remove(versionId)
    this.#outputs.unload(versionId)
  }

  setPolicy(versionId: VersionId, policy: WorkerPolicy): void {
    this.#policies.set(versionId, policy)
  }

  admit(admissions: readonly Admission[]): void {
    if (this.#isDead) return
    const failed = admissions.filter((admission) => !this.#take(admission))
    this.#report(
      failed.map(({ taskId }) => ({ kind: 'failed', taskId, code: 'input_missing', retryable: true }) as const),
    )
    if (admissions.some((admission) => admission.class === 'interactive')) this.#interrupt()
    this.#continue()
  }

  withdraw(taskIds: readonly TaskId[]): void {
    this.#report(this.#tasks.withdraw(taskIds))
  }

  cancel(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) if (!this.#tasks.cancel(taskId)) this.#outputs.release(taskId)
    this.#continue()
  }

  pause(taskIds: readonly TaskId[]): void {
    const isInStep = (task: ModelledTask) => this.#step?.members.includes(task) === true
    for (const task of this.#tasks.pause(taskIds, isInStep)) this.#answerPause(task)
    this.#continue()
  }

  resume(taskIds: readonly TaskId[]): void {
    this.#tasks.resume(taskIds)
    this.#continue()
  }

  release(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) this.#outputs.release(taskId)
  }

  revokeLease(): void {
    this.#lease = 'owed'
    this.#interrupt()
    if (!this.#step) this.#giveLeaseBack()
  }

  grantLease(): void {
    this.#lease = 'held'
    this.#continue()
  }

  die(cause: WorkerExitCause): void {
    if (this.#isDead) return
    this.#isDead = true
    this.#world.exited(this, cause)
  }

  /** False if an input of it is gone. */
  #take(admission: Admission): boolean {
    const { taskId, inputs, isRestored } = admission
    const { natureOf, savedSteps, timeline } = this.#world
    const nature = natureOf(taskId)
    if (!this.models.canRun(nature.versionId, nature.components))
      throw new Error(`Task ${taskId} is admitted to worker ${this.workerId}, which has not what it needs.`)
    if (this.#tasks.has(taskId)) throw new Error(`Task ${taskId} is admitted twice to worker ${this.workerId}.`)
    const from = isRestored ? savedSteps(taskId) : 0
    if (savedSteps(taskId) > from) throw new Error(`Task ${taskId} begins anew and has a checkpoint.`)
    if (!this.#outputs.areThere(inputs)) return false
    this.#tasks.add(createTask(admission, nature, timeline.now, from))
    return true
  }

  #continue(): void {
    if (this.#step || this.#isDead || this.#isHung) return
    this.#report(this.#tasks.dropCancelled())
    if (this.#lease !== 'held') return
    const { timeline } = this.#world
    const choice = this.#choose([...this.#tasks.unpaused()].map(readyTask))
    if ('waitUntil' in choice) timeline.at(choice.waitUntil, () => this.#continue())
    if ('step' in choice) this.#begin(choice.step.tasks.flatMap((taskId) => this.#tasks.get(taskId as TaskId) ?? []))
  }

  /** Of all, or of batch work alone where a step is due to it. */
  #choose(ready: readonly ReadyTask[]): StepChoice {
    const { now } = this.#world.timeline
    const first = stageFirst(this.#policies, now)
    if (this.#classes.isBatchDue) {
      const batch = ready.filter((task) => task.class === 'batch')
      const choice = chooseStep(batch, this.#policies, now, first)
      if ('step' in choice) return choice
    }
    return chooseStep(ready, this.#policies, now, first)
  }

  #begin(members: readonly ModelledTask[]): void {
    const { timeline, random, stepMsOf } = this.#world
    const [first] = members
    if (!first) return
    const { versionId } = first.nature
    if (this.models.isStale(versionId)) {
      this.#failAsStale(members)
      return this.#continue()
    }
    const stepMs = this.slowness * stepMsOf(versionId) * random.between(0.5, 1.5)
    const begun = members
      .filter(({ isStarted }) => !isStarted)
      .map(({ taskId }): TaskReport => ({ kind: 'started', taskId }))
    for (const task of members) task.isStarted = true
    const step = { members, endsAt: timeline.now + stepMs }
    this.#step = step
    if (stepMs > announcedStepMs) this.#report(begun)
    const poison = members.find(({ nature, stepsDone }) => nature.poisonStep === stepsDone + 1)
    const isRunning = () => this.#step === step && !this.#isDead
    if (poison) return timeline.after(random.between(0, stepMs), () => isRunning() && this.die('signal'))
    timeline.at(step.endsAt, () => {
      if (!isRunning()) return
      this.#step = null
      this.#classes.computed(first.admission.class, stepMs, this.#tasks.isBatchWaiting())
      if (this.models.isStale(versionId)) this.#failAsStale(members)
      else this.#end(members, stepMs > announcedStepMs ? [] : begun)
      this.#tellLength(versionId, first.nature.batchKey, members.length, stepMs)
      this.#afterStep(members)
    })
  }

  #end(members: readonly ModelledTask[], begun: readonly TaskReport[]): void {
    const { timeline } = this.#world
    const outcomes = members.map((task) => ({ task, report: outcomeOf(task, timeline.now) }))
    for (const { task, report } of outcomes) {
      if (report.kind !== 'step') this.#tasks.delete(task.taskId)
      if (report.kind === 'done' && task.admission.isHeld && !task.isCancelled) this.#outputs.hold(task)
    }
    this.#report([...begun, ...outcomes.map(({ report }) => report)])
    for (const { task, report } of outcomes) {
      const every = this.#policies.get(task.nature.versionId)?.checkpointSteps ?? 0
      if (report.kind === 'step' && every > 0 && task.stepsDone % every === 0) this.#save(task)
    }
  }

  #tellLength(versionId: VersionId, shape: string, states: number, ms: Millis): void {
    if (this.#isDead) return
    const tooLarge = states > 1 && this.#world.random.chance(tooLargeShare)
    this.#world.stepped(this, versionId, { node: modelledNode, shape, states, steps: 1, ms, peakBytes: null }, tooLarge)
  }

  /** What was asked for while it ran. */
  #afterStep(members: readonly ModelledTask[]): void {
    for (const task of members) {
      if (task.owesPause && this.#tasks.has(task.taskId)) this.#answerPause(task)
      task.owesPause = false
    }
    if (this.#lease === 'owed') this.#giveLeaseBack()
    this.#continue()
  }

  #answerPause(task: ModelledTask): void {
    if (task.isStarted) this.#save(task)
    const stateBytes = task.isStarted ? task.nature.stateBytes : 0
    this.#report([{ kind: 'paused', taskId: task.taskId, stateBytes }])
  }

  #save({ taskId, nature, stepsDone }: ModelledTask): void {
    if (nature.canBeSaved && stepsDone > 0) this.#world.checkpointed(this, taskId, stepsDone)
  }

  /** Its states are as before it. */
  #interrupt(): void {
    const step = this.#step
    if (!step || !mayInterrupt(step, this.#policies, this.#world.timeline.now)) return
    for (const task of step.members) task.interruptions += 1
    this.#step = null
    this.#afterStep(step.members)
  }

  #giveLeaseBack(): void {
    this.#lease = 'revoked'
    if (!this.#isDead) this.#world.leaseRevoked(this)
  }

  #failAsStale(members: readonly ModelledTask[]): void {
    for (const { taskId } of members) this.#tasks.delete(taskId)
    this.#report(members.map(({ taskId }) => ({ kind: 'failed', taskId, code: 'stale_model', retryable: true })))
  }

  #report(reports: readonly TaskReport[]): void {
    if (reports.length > 0 && !this.#isDead && !this.#isHung) this.#world.reported(this, reports)
  }
}
