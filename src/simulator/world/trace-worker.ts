/**
 * A worker that serves a workload: one step at a time, chosen by `chooseStep`. As long as nothing changes it lets many steps of a task pass as one, so
 * that weeks of work take seconds; what changes meanwhile takes effect when the step that is running then is over.
 */
import type { Admission } from '../../scheduler/commands.ts'
import type { SchedulerEvent, TaskReport } from '../../scheduler/events.ts'
import type { Millis, TaskId, VersionId, WorkerId } from '../../scheduler/ids.ts'
import { chooseStep, type ReadyTask } from '../choose-step.ts'
import { ClassSlices } from '../class-slices.ts'
import type { WorkerPolicy } from '../modelled-step.ts'
import type { Timeline } from '../timeline.ts'
import { type WorkerTask, WorkerTasks } from '../worker-tasks.ts'

export interface TraceSurroundings {
  readonly timeline: Timeline
  readonly stepMs: Millis
  /** What a task takes from its beginning, and what of that is saved. */
  readonly workOf: (taskId: TaskId) => { readonly versionId: VersionId; readonly execMs: Millis; savedMs: Millis }
  /** Somebody computed here for so long. */
  readonly computed: (worker: TraceWorker, taskId: TaskId, ms: Millis) => void
  readonly feed: (event: SchedulerEvent) => void
}

interface TraceTask extends WorkerTask {
  readonly ready: ReadyTask
  readonly execMs: Millis
  doneMs: Millis
}

interface Run {
  readonly task: TraceTask
  readonly startedAt: Millis
  /** Cut short when something changes. */
  endsAt: Millis
}

export class TraceWorker {
  readonly workerId: WorkerId
  readonly deviceIndex: number
  readonly #world: TraceSurroundings
  readonly #tasks = new WorkerTasks<TraceTask>()
  readonly #policies = new Map<number, WorkerPolicy>()
  readonly #classes = new ClassSlices()
  #run: Run | null = null
  #lease: 'held' | 'owed' | 'revoked' = 'held'
  #isGone = false

  constructor(workerId: WorkerId, deviceIndex: number, world: TraceSurroundings) {
    this.workerId = workerId
    this.deviceIndex = deviceIndex
    this.#world = world
  }

  setPolicy(versionId: VersionId, policy: WorkerPolicy): void {
    this.#policies.set(versionId, policy)
  }

  admit(admissions: readonly Admission[]): void {
    const { timeline, workOf } = this.#world
    for (const admission of admissions) {
      const { taskId, class: priorityClass, order, stage, isRestored, deadlineAt } = admission
      const { versionId, execMs, savedMs } = workOf(taskId)
      const ready = { task: taskId, model: versionId, batchKey: 'work', class: priorityClass, order, stage, deadlineAt }
      const task = { taskId, admission, execMs, doneMs: isRestored ? savedMs : 0 }
      const life = { isStarted: false, isPaused: false, owesPause: false, isCancelled: false }
      this.#tasks.add({ ...task, ...life, ready: { ...ready, readySince: timeline.now } })
    }
    this.#change()
  }

  withdraw(taskIds: readonly TaskId[]): void {
    this.#report(this.#tasks.withdraw(taskIds))
  }

  cancel(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) this.#tasks.cancel(taskId)
    this.#change()
  }

  pause(taskIds: readonly TaskId[]): void {
    for (const task of this.#tasks.pause(taskIds, (each) => this.#run?.task === each)) this.#answerPause(task)
    this.#change()
  }

  resume(taskIds: readonly TaskId[]): void {
    this.#tasks.resume(taskIds)
    this.#change()
  }

  revokeLease(): void {
    this.#lease = 'owed'
    this.#change()
  }

  grantLease(): void {
    this.#lease = 'held'
    this.#change()
  }

  leave(): void {
    this.#isGone = true
    this.#run = null
  }

  /** A run that is going on ends with the step that it is in. */
  #change(): void {
    const run = this.#run
    if (!run) return this.#continue()
    const { timeline, stepMs } = this.#world
    const steps = Math.max(1, Math.ceil((timeline.now - run.startedAt) / stepMs))
    const endsAt = run.startedAt + steps * stepMs
    if (endsAt >= run.endsAt) return
    run.endsAt = endsAt
    this.#awaitEnd(run)
  }

  #continue(): void {
    if (this.#run || this.#isGone) return
    this.#report(this.#tasks.dropCancelled())
    if (this.#lease === 'owed') {
      this.#lease = 'revoked'
      this.#world.feed({ type: 'leaseRevoked', workerId: this.workerId })
    }
    if (this.#lease !== 'held') return
    const task = this.#choose()
    if (!task) return
    const { now } = this.#world.timeline
    if (!task.isStarted) this.#report([{ kind: 'started', taskId: task.taskId }])
    task.isStarted = true
    const left = task.execMs - task.doneMs
    // What is due to batch work is one step.
    const ms = this.#classes.isBatchDue ? Math.min(left, this.#world.stepMs) : left
    this.#run = { task, startedAt: now, endsAt: now + ms }
    this.#awaitEnd(this.#run)
  }

  #choose(): TraceTask | null {
    const ready = [...this.#tasks.unpaused()].map((task) => task.ready)
    const [only] = ready
    if (!only) return null
    const choice = ready.length === 1 ? null : chooseStep(this.#inTurn(ready), this.#policies, this.#world.timeline.now)
    const chosen = choice && 'step' in choice ? choice.step.tasks[0] : only.task
    return this.#tasks.get((chosen ?? only.task) as TaskId) ?? null
  }

  /** Batch work alone, where a step is due to it. */
  #inTurn(ready: readonly ReadyTask[]): readonly ReadyTask[] {
    const batch = this.#classes.isBatchDue ? ready.filter((task) => task.class === 'batch') : []
    return batch.length > 0 ? batch : ready
  }

  #awaitEnd(run: Run): void {
    const { endsAt } = run
    this.#world.timeline.at(endsAt, () => {
      if (this.#run === run && run.endsAt === endsAt) this.#end(run)
    })
  }

  #end({ task, startedAt, endsAt }: Run): void {
    const { taskId } = task
    this.#run = null
    task.doneMs += endsAt - startedAt
    this.#classes.computed(task.ready.class, endsAt - startedAt, this.#tasks.isBatchWaiting())
    this.#world.computed(this, taskId, endsAt - startedAt)
    // Sums of times are a little off.
    if (task.doneMs >= task.execMs - 1e-6) {
      this.#tasks.delete(taskId)
      this.#report([{ kind: 'done', taskId, stepsRun: 1, heldBytes: 0 }])
    } else if (task.owesPause) this.#answerPause(task)
    task.owesPause = false
    this.#continue()
  }

  #answerPause(task: TraceTask): void {
    const { taskId, doneMs } = task
    this.#report([{ kind: 'paused', taskId, stateBytes: 0 }])
    if (doneMs === 0) return
    const { workOf, stepMs, feed } = this.#world
    workOf(taskId).savedMs = doneMs
    feed({ type: 'taskCheckpointed', workerId: this.workerId, taskId, step: Math.ceil(doneMs / stepMs) })
  }

  #report(reports: readonly TaskReport[]): void {
    if (reports.length > 0 && !this.#isGone)
      this.#world.feed({ type: 'stepsReported', workerId: this.workerId, reports })
  }
}
