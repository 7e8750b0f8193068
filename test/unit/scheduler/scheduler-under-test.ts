/** The scheduler in a test's hands: small words for events, answers of willing workers, and every invariant checked after every step. */
import { Audit } from '../../../src/scheduler/audit/audit.ts'
import { brokenInvariants } from '../../../src/scheduler/audit/invariants.ts'
import type { Admission, Command } from '../../../src/scheduler/commands.ts'
import { createState, step } from '../../../src/scheduler/core.ts'
import type {
  DeviceSpec,
  JobSpec,
  RecoveredJob,
  SchedulerEvent,
  TaskFailureCode,
  TaskReport,
  TaskSpec,
  VersionSpec,
  WorkerExitCause,
} from '../../../src/scheduler/events.ts'
import { explainWait, type Waiting } from '../../../src/scheduler/explain/explain.ts'
import { type QueueView, queueView } from '../../../src/scheduler/explain/queue-view.ts'
import type { DeviceId, JobId, TaskId, VersionId, WorkerId } from '../../../src/scheduler/ids.ts'
import { defaultSettings, type SchedulerSettings } from '../../../src/scheduler/settings.ts'
import type { SchedulerState, Task } from '../../../src/scheduler/state.ts'

export const mib = 1024 * 1024
/** Private memory of a fresh worker in these tests. */
export const runtimeBytes = 50 * mib
/** How long a willing worker loads. */
export const loadMs = 100

type CommandOf<Type extends Command['type']> = Extract<Command, { readonly type: Type }>
type JobOptions = Partial<
  Pick<JobSpec, 'class' | 'deadlineAt' | 'submittedAt' | 'userId' | 'sessionId' | 'weight' | 'work'>
> & { readonly after?: 'chain' | 'fork' }

export interface GraphNode {
  /** Names of others. */
  readonly after?: readonly string[]
  readonly stage?: TaskSpec['stage']
  readonly components?: readonly number[]
}

export class SchedulerUnderTest {
  state: SchedulerState
  now = 1000
  /** Everything that it has wanted, oldest first. */
  readonly commands: Command[] = []
  readonly #audit: Audit
  #nextId = 1

  constructor(settings: Partial<SchedulerSettings> = {}) {
    const all = { ...defaultSettings, sparesPerEngine: 0, ...settings }
    this.state = createState(all, 1000)
    this.#audit = new Audit(all)
  }

  feed(event: SchedulerEvent): Command[] {
    const commands = step(this.state, event, this.now)
    this.#audit.observe(event, commands)
    const problems = [...this.#audit.problems, ...brokenInvariants(this.state)]
    if (problems.length > 0) throw new Error(`After ${JSON.stringify(event)}:\n${problems.join('\n')}`)
    this.commands.push(...commands)
    return commands
  }

  device(options: Partial<DeviceSpec> = {}): DeviceId {
    const deviceId = this.#take<DeviceId>()
    this.feed({
      type: 'deviceAdded',
      device: {
        deviceId,
        name: `cpu-${deviceId}`,
        limitBytes: 4096 * mib,
        coreCount: 2,
        workerThreads: Math.min(4, options.coreCount ?? 2),
        ...options,
      },
    })
    return deviceId
  }

  version(options: Partial<VersionSpec> = {}): VersionId {
    const versionId = this.#take<VersionId>()
    const bytes = { weightsBytes: 100 * mib, workingBytes: 20 * mib }
    const steps = { batchLimit: 2, holdMs: 0, interruptAfterMs: 5 }
    const components = { componentBytes: [100 * mib], componentNames: ['model'] }
    const names = { modelName: `model-${versionId}`, engine: 'onnx' }
    this.feed({
      type: 'versionRegistered',
      version: { versionId, ...names, ...bytes, ...steps, ...components, ...options },
    })
    return versionId
  }

  /** One job with a task of each version: independent of each other, or in a chain. */
  submit(versions: VersionId | readonly VersionId[], options: JobOptions = {}): JobId {
    const spec = this.spec(versions, options)
    this.feed({ type: 'jobsSubmitted', jobs: [spec] })
    return spec.jobId
  }

  spec(versions: VersionId | readonly VersionId[], { after, ...options }: JobOptions = {}): JobSpec {
    const taskIds = [versions].flat().map(() => this.#take<TaskId>())
    const tasks = [versions].flat().map((versionId, index) => ({
      taskId: taskIds[index]!,
      versionId,
      after: after === 'chain' && index > 0 ? [taskIds[index - 1]!] : [],
      stage: 'inference' as const,
      isHeld: false,
      components: [0],
    }))
    return {
      jobId: this.#take<JobId>(),
      userId: null,
      sessionId: null,
      weight: 1,
      work: 1,
      class: 'interactive',
      submittedAt: this.now,
      deadlineAt: null,
      tasks,
      ...options,
    }
  }

  /** A job whose tasks are named and follow each other; what is followed is held. Answers the numbers of its tasks by name. */
  submitGraph<Name extends string>(
    versionId: VersionId,
    nodes: Readonly<Record<Name, GraphNode>>,
    options: JobOptions = {},
  ): { readonly jobId: JobId; readonly task: Readonly<Record<Name, TaskId>> } {
    const all = Object.entries<GraphNode>(nodes)
    const task: Record<string, TaskId> = {}
    for (const [name] of all) task[name] = this.#take<TaskId>()
    const tasks = all.map(([name, { after = [], stage = 'inference', components = [0] }]): TaskSpec => {
      const isHeld = all.some(([, other]) => other.after?.includes(name))
      return { taskId: task[name]!, versionId, after: after.map((other) => task[other]!), stage, isHeld, components }
    })
    const spec = { ...this.spec(versionId, options), tasks }
    this.feed({ type: 'jobsSubmitted', jobs: [spec] })
    return { jobId: spec.jobId, task: task as Record<Name, TaskId> }
  }

  recover(versions: VersionId | readonly VersionId[], options: Partial<RecoveredJob> = {}): JobId {
    const past = { attempt: 0, failedAttempts: 0, deathsAlone: 0, wasActive: false, checkpoints: [] }
    const wishes = { cancelRequested: false, pauseRequested: false }
    const job = { ...this.spec(versions), ...past, ...wishes, ...options }
    this.feed({ type: 'jobsRecovered', jobs: [job] })
    return job.jobId
  }

  /** Lets time pass; the timer that was asked for fires when it is due. */
  pass(ms: number): void {
    const end = this.now + ms
    for (let at = this.state.timerAt; at !== null && at <= end; at = this.state.timerAt) {
      this.now = Math.max(this.now, at)
      this.feed({ type: 'timerFired' })
    }
    this.now = end
  }

  /** Answers what workers are asked for, until nothing is asked any more: they start, load, unload and stop without fault. */
  serve(): void {
    for (let event = this.#nextAnswer(); event; event = this.#nextAnswer()) {
      if (event.type === 'modelLoaded') this.pass(loadMs)
      this.feed(event)
    }
  }

  ready(workerId: WorkerId): Command[] {
    return this.feed({ type: 'workerReady', workerId, privateBytes: runtimeBytes })
  }

  loaded(workerId: WorkerId, versionId: VersionId): Command[] {
    const { weightsBytes, workingBytes } = this.state.versions.get(versionId)!.spec
    return this.feed({ type: 'modelLoaded', workerId, versionId, loadMs, weightsBytes, privateBytes: workingBytes })
  }

  loadFailed(
    workerId: WorkerId,
    versionId: VersionId,
    retryable = true,
    code: TaskFailureCode = 'engine_error',
  ): Command[] {
    return this.feed({ type: 'modelLoadFailed', workerId, versionId, code, retryable })
  }

  report(workerId: WorkerId, ...reports: readonly TaskReport[]): Command[] {
    return this.feed({ type: 'stepsReported', workerId, reports })
  }

  /** A report of whichever worker has the task. */
  say(...reports: readonly TaskReport[]): Command[] {
    const residency = reports[0] && this.state.tasks.get(reports[0].taskId)?.residency
    if (!residency) throw new Error(`Task ${reports[0]?.taskId} is at no worker.`)
    return this.report(residency.worker.workerId, ...reports)
  }

  /** Tasks end where they are, and what they made stays there if somebody comes after them. */
  done(...taskIds: readonly TaskId[]): Command[] {
    return this.say(...taskIds.map((taskId) => ({ kind: 'done', taskId, stepsRun: 1, heldBytes: mib }) as const))
  }

  /** Its worker has written down a state of it. */
  save(taskId: TaskId, step: number): Command[] {
    const residency = this.state.tasks.get(taskId)?.residency
    if (!residency) throw new Error(`Task ${taskId} is at no worker.`)
    return this.feed({ type: 'taskCheckpointed', workerId: residency.worker.workerId, taskId, step })
  }

  pause(jobId: JobId): Command[] {
    return this.feed({ type: 'pauseRequested', jobId, cause: 'requested' })
  }

  resume(jobId: JobId): Command[] {
    return this.feed({ type: 'resumeRequested', jobId })
  }

  /** Tasks of the jobs start where they are. */
  start(...jobIds: readonly JobId[]): Command[] {
    return this.#reportEach(jobIds, (taskId) => ({ kind: 'started', taskId }))
  }

  /** Tasks of the jobs that are at workers end there. */
  finish(...jobIds: readonly JobId[]): Command[] {
    return this.#reportEach(jobIds, (taskId) => ({ kind: 'done', taskId, stepsRun: 1, heldBytes: 0 }))
  }

  fail(jobId: JobId, code: TaskFailureCode, retryable = true): Command[] {
    return this.#reportEach([jobId], (taskId) => ({ kind: 'failed', taskId, code, retryable }))
  }

  /** The answer to `checkVersion`. */
  checked(versionId: VersionId, state: 'intact' | 'gone'): Command[] {
    return this.feed({ type: 'versionChecked', versionId, state })
  }

  kill(workerId: WorkerId, cause: WorkerExitCause = 'signal'): Command[] {
    return this.feed({ type: 'workerExited', workerId, cause })
  }

  /** The one worker that serves a version. */
  workerOf(versionId: VersionId): WorkerId {
    const [residency] = this.state.versions.get(versionId)!.residencies
    if (!residency) throw new Error(`Version ${versionId} is nowhere.`)
    return residency.worker.workerId
  }

  /** Jobs that a worker has, in the order in which it was given them. */
  jobsAt(workerId: WorkerId): JobId[] {
    return [...this.state.workers.get(workerId)!.tasks].map(({ job }) => job.jobId)
  }

  /** `gone` once it has ended. */
  stateOf(jobId: JobId): 'queued' | 'loading' | 'running' | 'paused' | 'gone' {
    return this.state.jobs.get(jobId)?.state ?? 'gone'
  }

  wait(jobId: JobId): Waiting {
    const waiting = explainWait(this.state, jobId, this.now)
    if (!waiting) throw new Error(`Job ${jobId} does not wait.`)
    return waiting
  }

  queue(): QueueView {
    return queueView(this.state, this.now, 1000)
  }

  /** The final command of a job. */
  end(jobId: JobId): Command | undefined {
    const ends = ['jobSucceeded', 'jobFailed', 'jobCancelled']
    return this.commands.find((command) => 'jobId' in command && command.jobId === jobId && ends.includes(command.type))
  }

  all<Type extends Command['type']>(type: Type): CommandOf<Type>[] {
    return this.commands.filter((command): command is CommandOf<Type> => command.type === type)
  }

  /** Of a live job. */
  task(taskId: TaskId): Task {
    for (const { tasks } of this.state.jobs.values()) for (const task of tasks) if (task.taskId === taskId) return task
    throw new Error(`No live job has task ${taskId}.`)
  }

  /** The newest admission of a task. */
  admission(taskId: TaskId): Admission | undefined {
    return this.admissions().findLast((admission) => admission.taskId === taskId)
  }

  admissions(): Admission[] {
    return this.all('admit').flatMap(({ tasks }) => tasks)
  }

  #reportEach(jobIds: readonly JobId[], reportOf: (taskId: TaskId) => TaskReport): Command[] {
    const byWorker = new Map<WorkerId, TaskReport[]>()
    for (const jobId of jobIds) {
      const held = this.state.jobs.get(jobId)?.tasks.filter(({ residency }) => residency !== null) ?? []
      if (held.length === 0) throw new Error(`Job ${jobId} is at no worker.`)
      for (const { taskId, residency } of held) {
        const { workerId } = residency!.worker
        byWorker.set(workerId, [...(byWorker.get(workerId) ?? []), reportOf(taskId)])
      }
    }
    return [...byWorker].flatMap(([workerId, reports]) => this.report(workerId, ...reports))
  }

  #nextAnswer(): SchedulerEvent | null {
    for (const { workerId, state } of this.state.workers.values()) {
      if (state === 'starting') return { type: 'workerReady', workerId, privateBytes: runtimeBytes }
      if (state === 'stopping') return { type: 'workerExited', workerId, cause: 'requested' }
    }
    for (const { state, unloadSent, worker, version } of this.state.residencies.values()) {
      const { versionId, weightsBytes, workingBytes } = version.spec
      const { workerId } = worker
      if (state === 'loading')
        return { type: 'modelLoaded', workerId, versionId, loadMs, weightsBytes, privateBytes: workingBytes }
      if (unloadSent) return { type: 'modelUnloaded', workerId, versionId }
    }
    return null
  }

  #take<Id extends number>(): Id {
    this.#nextId += 1
    return this.#nextId as Id
  }
}
