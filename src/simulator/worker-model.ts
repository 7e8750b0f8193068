/**
 * A worker as the scheduler meets it: it composes its steps by `chooseStep`, takes as long as chance says, reports what PROTOCOL.md tells it to, and
 * dies where a fault or a poisonous task kills it; it compares its models' files before and after every step. What it reported before its death still arrives; nothing does after it.
 */
import type { Admission } from '../scheduler/commands.ts'
import type { PriorityClass, TaskReport, WorkerExitCause } from '../scheduler/events.ts'
import type { TaskId, VersionId, WorkerId } from '../scheduler/ids.ts'
import { chooseStep, type StepPolicy } from './choose-step.ts'
import { isUnchanged, originalContent, type SeenFile } from './model-files.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

/** What a task is like, which no one knows before it runs. */
export interface TaskNature {
  readonly versionId: VersionId
  readonly steps: number
  /** Kills its worker in this step; null = never. */
  readonly poisonStep: number | null
  /** Fails so many times before it succeeds. */
  failuresLeft: number
  readonly failure: 'engine_error' | 'out_of_memory' | 'invalid_request'
}

export interface WorkerSurroundings {
  readonly timeline: Timeline
  readonly random: Random
  natureOf(taskId: TaskId): TaskNature
  stepMsOf(versionId: VersionId): number
  reported(worker: WorkerModel, reports: readonly TaskReport[]): void
  exited(worker: WorkerModel, cause: WorkerExitCause): void
}

interface HeldTask {
  readonly taskId: TaskId
  readonly class: PriorityClass
  readonly order: number
  readonly deadlineAt: number | null
  readonly readySince: number
  readonly nature: TaskNature
  stepsDone: number
  isStarted: boolean
  isCancelled: boolean
}

/** A step expected to be longer is announced before it begins. */
const announcedStepMs = 5

export class WorkerModel {
  readonly workerId: WorkerId
  readonly #world: WorkerSurroundings
  readonly #tasks = new Map<TaskId, HeldTask>()
  readonly #policies = new Map<number, StepPolicy>()
  readonly #models = new Map<VersionId, SeenFile>()
  #isStepping = false
  #isDead = false

  constructor(workerId: WorkerId, world: WorkerSurroundings) {
    this.workerId = workerId
    this.#world = world
  }

  get isDead(): boolean {
    return this.#isDead
  }

  addModel(versionId: VersionId, file: SeenFile): void {
    if (file.file.content !== originalContent) throw new Error(`Version ${versionId} is loaded from another's files.`)
    this.#models.set(versionId, file)
  }

  removeModel(versionId: VersionId): void {
    for (const { taskId, nature } of this.#tasks.values()) {
      if (nature.versionId === versionId)
        throw new Error(`Version ${versionId} is unloaded under task ${taskId} of worker ${this.workerId}.`)
    }
    this.#models.delete(versionId)
  }

  setPolicy(versionId: VersionId, policy: StepPolicy): void {
    this.#policies.set(versionId, policy)
  }

  admit(tasks: readonly Admission[]): void {
    if (this.#isDead) return
    const readySince = this.#world.timeline.now
    for (const { taskId, class: priorityClass, order, deadlineAt } of tasks) {
      const nature = this.#world.natureOf(taskId)
      if (!this.#models.has(nature.versionId))
        throw new Error(
          `Task ${taskId} is admitted to worker ${this.workerId}, which has no model ${nature.versionId}.`,
        )
      if (this.#tasks.has(taskId)) throw new Error(`Task ${taskId} is admitted twice to worker ${this.workerId}.`)
      this.#tasks.set(taskId, {
        taskId,
        class: priorityClass,
        order,
        deadlineAt,
        readySince,
        nature,
        stepsDone: 0,
        isStarted: false,
        isCancelled: false,
      })
    }
    this.#continue()
  }

  withdraw(taskIds: readonly TaskId[]): void {
    const given = taskIds.filter((taskId) => this.#tasks.get(taskId)?.isStarted === false)
    for (const taskId of given) this.#tasks.delete(taskId)
    this.#report(given.map((taskId) => ({ kind: 'withdrawn', taskId })))
  }

  cancel(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) {
      const task = this.#tasks.get(taskId)
      if (task) task.isCancelled = true
    }
    this.#continue()
  }

  die(cause: WorkerExitCause): void {
    if (this.#isDead) return
    this.#isDead = true
    this.#world.exited(this, cause)
  }

  #continue(): void {
    if (this.#isStepping || this.#isDead) return
    this.#dropCancelled()
    const { timeline } = this.#world
    const ready = [...this.#tasks.values()].map((task) => ({
      task: task.taskId,
      model: task.nature.versionId,
      batchKey: '',
      class: task.class,
      order: task.order,
      readySince: task.readySince,
    }))
    const choice = chooseStep(ready, this.#policies, timeline.now)
    if ('waitUntil' in choice) timeline.at(choice.waitUntil, () => this.#continue())
    if ('step' in choice) this.#begin(choice.step.tasks.flatMap((taskId) => this.#tasks.get(taskId as TaskId) ?? []))
  }

  #begin(members: readonly HeldTask[]): void {
    const { timeline, random } = this.#world
    const [first] = members
    if (!first) return
    if (this.#isStale(first.nature.versionId)) return this.#failAsStale(members)
    const stepMs = this.#world.stepMsOf(first.nature.versionId) * random.between(0.5, 1.5)
    const begun = members
      .filter(({ isStarted }) => !isStarted)
      .map(({ taskId }): TaskReport => ({ kind: 'started', taskId }))
    for (const task of members) task.isStarted = true
    this.#isStepping = true
    if (stepMs > announcedStepMs) this.#report(begun)
    const poison = members.find(({ nature, stepsDone }) => nature.poisonStep === stepsDone + 1)
    if (poison) return timeline.after(random.between(0, stepMs), () => this.die('signal'))
    timeline.after(stepMs, () => {
      if (this.#isDead) return
      this.#isStepping = false
      if (this.#isStale(first.nature.versionId)) return this.#failAsStale(members)
      this.#report([...(stepMs > announcedStepMs ? [] : begun), ...members.map((task) => this.#outcome(task))])
      this.#continue()
    })
  }

  #isStale(versionId: VersionId): boolean {
    const file = this.#models.get(versionId)
    return file === undefined || !isUnchanged(file)
  }

  #failAsStale(members: readonly HeldTask[]): void {
    for (const { taskId } of members) this.#tasks.delete(taskId)
    this.#report(members.map(({ taskId }) => ({ kind: 'failed', taskId, code: 'stale_model', retryable: true })))
    this.#continue()
  }

  #outcome(task: HeldTask): TaskReport {
    const { taskId, nature, deadlineAt } = task
    task.stepsDone += 1
    const end = (report: TaskReport): TaskReport => {
      this.#tasks.delete(taskId)
      return report
    }
    // A step that was running when the wish came may have been the last.
    if (task.isCancelled && task.stepsDone < nature.steps) return end({ kind: 'cancelled', taskId })
    if (deadlineAt !== null && this.#world.timeline.now > deadlineAt)
      return end({ kind: 'failed', taskId, code: 'deadline_exceeded', retryable: false })
    if (nature.failuresLeft > 0 && task.stepsDone >= nature.steps / 2) {
      nature.failuresLeft -= 1
      return end({ kind: 'failed', taskId, code: nature.failure, retryable: nature.failure !== 'invalid_request' })
    }
    if (task.stepsDone >= nature.steps) return end({ kind: 'done', taskId, stepsRun: task.stepsDone, heldBytes: 0 })
    return { kind: 'step', taskId, done: task.stepsDone, total: nature.steps }
  }

  #dropCancelled(): void {
    const dropped = [...this.#tasks.values()].filter(({ isCancelled }) => isCancelled)
    for (const { taskId } of dropped) this.#tasks.delete(taskId)
    this.#report(dropped.map(({ taskId }) => ({ kind: 'cancelled', taskId })))
  }

  #report(reports: readonly TaskReport[]): void {
    if (reports.length > 0 && !this.#isDead) this.#world.reported(this, reports)
  }
}
