/**
 * Tasks at workers: none is at two, none runs twice while its result is there, all of a job are in one place with the outputs that they take, and nothing
 * is held for nobody.
 */

import type { Admission, Command } from '../commands.ts'
import type { JobSpec, SchedulerEvent, TaskReport, TaskSpec } from '../events.ts'
import type { JobId, TaskId, VersionId, WorkerId } from '../ids.ts'
import type { AuditPart } from './audit.ts'
import type { JobAudit } from './audit-jobs.ts'
import type { Expect } from './expect.ts'

interface Place {
  readonly workerId: WorkerId
  /** dropped: the worker was told to let go of it. */
  life: 'stepping' | 'pausing' | 'paused' | 'dropped'
}

interface KnownTask extends TaskSpec {
  readonly jobId: JobId
}

export class TaskAudit implements AuditPart {
  readonly #jobs: JobAudit
  readonly #expect: Expect
  readonly #specs = new Map<TaskId, KnownTask>()
  readonly #places = new Map<TaskId, Place>()
  readonly #held = new Map<TaskId, WorkerId>()
  readonly #done = new Set<TaskId>()
  readonly #saved = new Set<TaskId>()
  /** Models that a worker found stale, as `worker:version`: nothing may be admitted to them. */
  readonly #stale = new Set<string>()

  constructor(jobs: JobAudit, expect: Expect) {
    this.#jobs = jobs
    this.#expect = expect
  }

  takeEvent(event: SchedulerEvent): void {
    switch (event.type) {
      case 'jobsSubmitted':
        return this.#know(event.jobs)
      case 'jobsRecovered':
        for (const { checkpoints } of event.jobs) for (const { taskId } of checkpoints) this.#saved.add(taskId)
        return this.#know(event.jobs)
      case 'stepsReported':
        for (const report of event.reports) this.#takeReport(event.workerId, report)
        return
      case 'taskCheckpointed':
        if (this.#isAt(event.taskId, event.workerId)) this.#saved.add(event.taskId)
        return
      case 'workerExited':
        return this.#forget((workerId) => workerId === event.workerId)
      case 'serverRestarted':
        this.#forget(() => true)
        this.#done.clear()
        this.#saved.clear()
        this.#stale.clear()
        return
      default:
        return
    }
  }

  takeCommand(command: Command): void {
    switch (command.type) {
      case 'admit':
        for (const admission of command.tasks) this.#admit(command.workerId, admission)
        return
      case 'cancelTasks':
        // Whatever it comes to, nothing of it stays; if it is done already, its output goes.
        for (const taskId of command.taskIds) this.#held.delete(taskId)
        return this.#tell(command.workerId, command.taskIds, ['stepping', 'pausing', 'paused'], 'dropped')
      case 'pauseTasks':
        return this.#tell(command.workerId, command.taskIds, ['stepping'], 'pausing')
      case 'resumeTasks':
        return this.#tell(command.workerId, command.taskIds, ['paused'], 'stepping')
      case 'releaseOutputs':
        for (const taskId of command.taskIds) this.#release(command.workerId, taskId)
        return
      case 'unload':
        return this.#unload(command.workerId, command.versionId)
      case 'load':
        this.#stale.delete(`${command.workerId}:${command.versionId}`)
        return
      case 'jobPaused':
        return this.#expectStill(command.jobId)
      default:
        return
    }
  }

  settle(): void {
    for (const taskId of this.#held.keys()) {
      const spec = this.#specs.get(taskId)
      const isLive = spec !== undefined && this.#jobs.live.has(spec.jobId)
      this.#expect(isLive, `The output of task ${taskId} is held, and its job has ended.`)
    }
  }

  #know(jobs: readonly JobSpec[]): void {
    for (const { jobId, tasks } of jobs) for (const task of tasks) this.#specs.set(task.taskId, { ...task, jobId })
  }

  #takeReport(workerId: WorkerId, report: TaskReport): void {
    const { kind, taskId } = report
    const place = this.#places.get(taskId)
    const spec = this.#specs.get(taskId)
    if (kind === 'started' || kind === 'step' || place?.workerId !== workerId || !spec) return
    if (kind === 'paused') {
      if (place.life === 'pausing') place.life = 'paused'
      return
    }
    this.#places.delete(taskId)
    if (kind === 'failed' && report.code === 'stale_model') this.#stale.add(`${workerId}:${spec.versionId}`)
    if (kind === 'failed' && report.code === 'input_missing')
      for (const input of spec.after) if (this.#specs.get(input)?.isHeld) this.#done.delete(input)
    if (kind !== 'done') return
    this.#done.add(taskId)
    if (spec.isHeld && place.life !== 'dropped') this.#held.set(taskId, workerId)
  }

  #admit(workerId: WorkerId, { taskId, jobId, attempt, inputs, isRestored }: Admission): void {
    const at = this.#places.get(taskId)
    const spec = this.#specs.get(taskId)
    const who = `Task ${taskId} is admitted to worker ${workerId}`
    this.#jobs.admitted(jobId, attempt)
    this.#expect(at === undefined, `${who} and is at worker ${at?.workerId}.`)
    this.#expect(!this.#stale.has(`${workerId}:${spec?.versionId}`), `${who}, whose model is stale.`)
    for (const input of inputs)
      this.#expect(this.#held.get(input) === workerId, `${who}, which does not hold the output of task ${input}.`)
    const isThere = this.#done.has(taskId) && (!spec?.isHeld || this.#held.has(taskId))
    this.#expect(!isThere, `${who}, and its result is there.`)
    this.#expect(!isRestored || this.#saved.has(taskId), `${who} to go on from a checkpoint that it does not have.`)
    const elsewhere = [...this.#placesOf(jobId)].find((other) => other !== workerId)
    this.#expect(elsewhere === undefined, `${who}, and its job is at home in worker ${elsewhere}.`)
    this.#done.delete(taskId)
    this.#places.set(taskId, { workerId, life: 'stepping' })
  }

  /** Where tasks and outputs of the job are that it still counts on. */
  *#placesOf(jobId: JobId): Generator<WorkerId> {
    for (const [taskId, { workerId, life }] of this.#places)
      if (life !== 'dropped' && this.#specs.get(taskId)?.jobId === jobId) yield workerId
    for (const [taskId, workerId] of this.#held) if (this.#specs.get(taskId)?.jobId === jobId) yield workerId
  }

  #tell(workerId: WorkerId, taskIds: readonly TaskId[], from: readonly Place['life'][], to: Place['life']): void {
    for (const taskId of taskIds) {
      const place = this.#places.get(taskId)
      // It may have come to its end in the very report that brought this about.
      if (place?.workerId !== workerId) continue
      this.#expect(from.includes(place.life), `Task ${taskId} is to be ${to} and is ${place.life}.`)
      place.life = to
    }
  }

  #release(workerId: WorkerId, taskId: TaskId): void {
    const isHeld = this.#held.get(taskId) === workerId
    this.#expect(isHeld, `The output of task ${taskId} is released and is not held in worker ${workerId}.`)
    this.#held.delete(taskId)
  }

  #unload(workerId: WorkerId, versionId: VersionId): void {
    for (const [taskId, place] of this.#places) {
      const isThere = place.workerId === workerId && this.#specs.get(taskId)?.versionId === versionId
      this.#expect(!isThere, `Version ${versionId} is unloaded under task ${taskId} of worker ${workerId}.`)
    }
  }

  #expectStill(pausedId: JobId): void {
    for (const [taskId, { life }] of this.#places) {
      const isStepping = life === 'stepping' || life === 'pausing'
      const isOfIt = this.#specs.get(taskId)?.jobId === pausedId
      this.#expect(!isStepping || !isOfIt, `Job ${pausedId} is paused, and task ${taskId} of it steps.`)
    }
  }

  #isAt(taskId: TaskId, workerId: WorkerId): boolean {
    return this.#places.get(taskId)?.workerId === workerId
  }

  #forget(isGone: (workerId: WorkerId) => boolean): void {
    for (const [taskId, { workerId }] of this.#places) if (isGone(workerId)) this.#places.delete(taskId)
    for (const [taskId, workerId] of this.#held) if (isGone(workerId)) this.#held.delete(taskId)
  }
}
