/** Willing workers on many devices around a scheduler's core, and what each of its steps costs. */
import type { Command } from '../../src/scheduler/commands.ts'
import { createState, step } from '../../src/scheduler/core.ts'
import type { SchedulerEvent, TaskReport } from '../../src/scheduler/events.ts'
import type { DeviceId, JobId, TaskId, VersionId, WorkerId } from '../../src/scheduler/ids.ts'
import { defaultSettings } from '../../src/scheduler/settings.ts'
import type { SchedulerState } from '../../src/scheduler/state.ts'
import type { StepTimes } from './step-times.ts'

export interface FleetSize {
  readonly devices: number
  readonly versions: number
  /** Versions that are resident from the start; all devices together have as many copies as fill them evenly. */
  readonly hot: number
  readonly queued: number
}

const modelBytes = 1_000_000
const runtimeBytes = 1_000_000
const loadMs = 100
/** Room on each device beside what is resident from the start. */
const spareModels = 4

export class Fleet {
  readonly state: SchedulerState
  readonly size: FleetSize
  /** Null = steps are not timed. */
  times: StepTimes | null = null
  #now = 0
  #nextJob = 1
  /** What each worker holds, in the order in which it was given. */
  readonly #held = new Map<WorkerId, TaskId[]>()
  #workers: WorkerId[] = []
  #turn = 0
  #cold = 0

  constructor(size: FleetSize) {
    this.size = size
    this.state = createState({ ...defaultSettings, runtimeBytes }, 1)
    const copies = Math.max(1, Math.ceil(size.hot / size.devices))
    const limitBytes = 2 * modelBytes * (copies + spareModels) + 10 * runtimeBytes
    for (let id = 1; id <= size.devices; id += 1) {
      const name = `device-${id}`
      const spec = { deviceId: id as DeviceId, name, limitBytes, coreCount: 4, workerThreads: 4 }
      this.#feed({ type: 'deviceAdded', device: spec })
    }
    for (let id = 1; id <= size.versions; id += 1) this.#register(id as VersionId)
    for (let copy = 0; copy < size.devices * copies; copy += 1) {
      const versionId = ((copy % size.hot) + 1) as VersionId
      this.#feed({ type: 'loadRequested', versionId, deviceId: ((copy % size.devices) + 1) as DeviceId })
    }
    this.#workers = [...this.state.workers.keys()]
    for (let index = 0; index < size.queued; index += 1) this.submit(this.#hot())
  }

  get lastJob(): JobId {
    return (this.#nextJob - 1) as JobId
  }

  get now(): number {
    return this.#now
  }

  /** One job comes, a first task begins somewhere, and ends: three events. */
  turnOver(): void {
    this.#now += 0.05
    this.submit(this.#hot())
    this.#runNext()
  }

  /** As `turnOver`, with a job of a model that is not resident. */
  turnOverCold(): void {
    this.#now += 0.05
    const { hot, versions } = this.size
    this.#cold = (this.#cold + 1) % (versions - hot)
    this.submit((hot + 1 + this.#cold) as VersionId)
    this.#runNext()
  }

  submit(versionId: VersionId): void {
    const jobId = this.#nextJob as JobId
    this.#nextJob += 1
    const taskId = jobId as number as TaskId
    const task = { taskId, versionId, after: [], stage: 'inference', isHeld: false, components: [] } as const
    const job = { jobId, userId: null, sessionId: null, weight: 1, work: 1, submittedAt: this.#now, deadlineAt: null }
    const priorityClass = jobId % 4 === 0 ? 'batch' : 'interactive'
    this.#feed({ type: 'jobsSubmitted', jobs: [{ ...job, class: priorityClass, tasks: [task] }] })
  }

  #hot(): VersionId {
    return ((this.#nextJob % this.size.hot) + 1) as VersionId
  }

  #runNext(): void {
    const { length } = this.#workers
    for (let tries = 0; tries < length; tries += 1) {
      const workerId = this.#workers[this.#turn % length]
      this.#turn += 1
      const tasks = workerId === undefined ? undefined : this.#held.get(workerId)
      const taskId = tasks?.[0]
      if (workerId === undefined || taskId === undefined) continue
      this.#report(workerId, { kind: 'started', taskId })
      tasks?.shift()
      return this.#report(workerId, { kind: 'done', taskId, stepsRun: 1, heldBytes: 0 })
    }
  }

  #report(workerId: WorkerId, report: TaskReport): void {
    this.#feed({ type: 'stepsReported', workerId, reports: [report] })
  }

  #register(versionId: VersionId): void {
    const version = {
      versionId,
      modelName: `model-${versionId}`,
      engine: 'none',
      weightsBytes: modelBytes,
      workingBytes: 0,
      batchLimit: 4,
      holdMs: 0,
      interruptAfterMs: 5,
      componentBytes: [],
      componentNames: [],
    }
    this.#feed({ type: 'versionRegistered', version })
  }

  #feed(event: SchedulerEvent): void {
    const startedAt = this.times ? performance.now() : 0
    const commands = step(this.state, event, this.#now)
    this.times?.add(performance.now() - startedAt)
    for (const command of commands) this.#answer(command)
  }

  #answer(command: Command): void {
    if (command.type === 'spawnWorker')
      this.#feed({ type: 'workerReady', workerId: command.workerId, privateBytes: runtimeBytes })
    if (command.type === 'load') {
      const { workerId, versionId } = command
      this.#feed({ type: 'modelLoaded', workerId, versionId, loadMs, weightsBytes: modelBytes, privateBytes: 0 })
    }
    if (command.type === 'unload')
      this.#feed({ type: 'modelUnloaded', workerId: command.workerId, versionId: command.versionId })
    if (command.type === 'stopWorker')
      this.#feed({ type: 'workerExited', workerId: command.workerId, cause: 'requested' })
    if (command.type === 'admit') {
      const tasks = this.#held.get(command.workerId) ?? []
      for (const { taskId } of command.tasks) tasks.push(taskId)
      this.#held.set(command.workerId, tasks)
    }
  }
}
