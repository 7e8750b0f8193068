/**
 * A workload served by the real scheduler in a modelled world: devices with memory of their own, each with one worker that computes one step at a time
 * and loads one model at a time. The same workload and options give the same result.
 */
import { Audit } from '../../scheduler/audit/audit.ts'
import { brokenInvariants } from '../../scheduler/audit/invariants.ts'
import type { Command } from '../../scheduler/commands.ts'
import { createState, step } from '../../scheduler/core.ts'
import type { JobSpec, PriorityClass, SchedulerEvent, VersionSpec } from '../../scheduler/events.ts'
import type { DeviceId, JobId, Millis, SessionId, TaskId, UserId, VersionId } from '../../scheduler/ids.ts'
import type { SchedulerState } from '../../scheduler/state.ts'
import type { JobCommand } from '../job-book.ts'
import { Random } from '../random.ts'
import { Measures } from '../report/measures.ts'
import { Timeline } from '../timeline.ts'
import { drawLogNormal } from '../traces/laws.ts'
import { fittingIn, gigabyte, type Workload, type WorkloadModel, type WorkloadRequest } from '../traces/workload.ts'
import { backlogModels, backlogPerDevice, backlogRequest } from './batch-backlog.ts'
import { TraceDevices } from './trace-devices.ts'
import { defaultTraceOptions, settingsFor, type TraceOptions } from './trace-options.ts'
import { resultOf, type TraceResult } from './trace-result.ts'

/** Throws if a request can never be served, or (with `check`) an invariant breaks. */
export function runTrace(workload: Workload, options: Partial<TraceOptions> = {}): TraceResult {
  const all = { ...defaultTraceOptions, ...options }
  return new TraceWorld(fittingIn(workload, all.memoryGb * gigabyte), all).run()
}

interface LiveJob {
  readonly request: WorkloadRequest
  readonly submittedAt: Millis
  readonly execMs: Millis
  readonly counts: boolean
  readonly isBacklog: boolean
  savedMs: Millis
}

/** What is left when the last request has come has so long to end. */
const patienceMs = 365 * 86_400_000
/** Events at one moment, for each device and each job that is there, after which something goes in circles. */
const eventsAtOnceMax = 1000

class TraceWorld {
  readonly #workload: Workload
  readonly #options: TraceOptions
  readonly #models: readonly WorkloadModel[]
  readonly #timeline: Timeline
  readonly #random: Random
  readonly #state: SchedulerState
  readonly #devices: TraceDevices
  readonly #measures: Measures
  readonly #audit: Audit | null
  readonly #jobs = new Map<JobId, LiveJob>()
  readonly #events: SchedulerEvent[] = []
  readonly #warmupRows: number
  #isFeeding = false
  #steps = 0
  #next = 0
  #lastJobId = 0
  #left: number
  #timerSet = 0
  #latest: Millis = 0
  #atOnce = 0

  constructor(workload: Workload, options: TraceOptions) {
    const { devices, memoryGb, warmupShare, batchBacklog, seed, check } = options
    const settings = settingsFor(options)
    this.#workload = workload
    this.#options = options
    this.#models = batchBacklog ? [...workload.models, ...backlogModels] : workload.models
    this.#timeline = new Timeline(0)
    this.#random = new Random(seed)
    this.#state = createState(settings, 1)
    this.#measures = new Measures(devices, memoryGb * gigabyte)
    this.#audit = check ? new Audit(settings) : null
    this.#warmupRows = Math.floor(workload.requests.length * warmupShare)
    this.#left = workload.requests.length
    this.#devices = this.#createDevices()
  }

  run(): TraceResult {
    const began = performance.now()
    this.#announce()
    this.#awaitNext()
    if (this.#options.batchBacklog)
      for (let count = 0; count < backlogPerDevice * this.#options.devices; count += 1) this.#submitBacklog()
    while (this.#left > 0 && this.#timeline.advance(this.#lastArrival() + patienceMs)) continue
    if (this.#left > 0) throw new Error(`${this.#left} requests were never served; the first is ${this.#firstLeft()}.`)
    return resultOf({
      workload: this.#workload,
      options: this.#options,
      measures: this.#measures,
      warmupRows: this.#warmupRows,
      now: this.#timeline.now,
      steps: this.#steps,
      tookMs: performance.now() - began,
    })
  }

  #createDevices(): TraceDevices {
    const { stepMs, execution } = this.#options
    return new TraceDevices({
      timeline: this.#timeline,
      stepMs,
      workOf: (taskId) => {
        const job = this.#jobOf(taskId)
        return {
          versionId: versionIdOf(job.request.model),
          execMs: job.execMs,
          get savedMs() {
            return job.savedMs
          },
          set savedMs(ms) {
            job.savedMs = ms
          },
        }
      },
      computed: (worker, taskId, ms) => this.#computed(worker.deviceIndex, taskId, ms),
      drawLoad: (versionId) => {
        const loadMs = this.#drawLoadMs(this.#modelOf(versionId).loadMs)
        return { loadMs, passesMs: execution === 'none' ? 0 : loadMs }
      },
      sizeOf: (versionId) => this.#modelOf(versionId).sizeBytes,
      loadBegan: (versionId) => this.#loadBegan(versionId),
      feed: (event) => this.#feed(event),
    })
  }

  #announce(): void {
    const limitBytes = this.#options.memoryGb * gigabyte
    this.#models.forEach(({ name, sizeBytes }, place) => {
      const planned = { workingBytes: 0, batchLimit: 1, holdMs: 0, interruptAfterMs: Number.MAX_SAFE_INTEGER }
      const parts = { componentBytes: [sizeBytes], componentNames: ['model'] }
      const versionId = versionIdOf(place)
      const version: VersionSpec = {
        versionId,
        modelName: name,
        engine: 'trace',
        weightsBytes: sizeBytes,
        ...planned,
        ...parts,
      }
      this.#feed({ type: 'versionRegistered', version })
    })
    for (let index = 0; index < this.#options.devices; index += 1) {
      const deviceId = (index + 1) as DeviceId
      const device = { deviceId, name: `device-${deviceId}`, limitBytes, coreCount: 1, workerThreads: 1 }
      this.#feed({ type: 'deviceAdded', device })
    }
  }

  /** Where work takes no time, a request comes when the one before it has been served. */
  #awaitNext(): void {
    const request = this.#workload.requests[this.#next]
    if (!request) return
    this.#timeline.at(this.#timeOf(request), () => {
      if (this.#next === this.#warmupRows) this.#measures.begin(this.#timeline.now)
      const counts = this.#next >= this.#warmupRows
      this.#next += 1
      const model = this.#models[request.model]
      if (model) this.#measures.asked(model)
      this.#submit(request, counts, false)
      if (this.#options.execution === 'recorded') this.#awaitNext()
    })
  }

  #timeOf({ at }: WorkloadRequest): Millis {
    return 1000 + at / this.#options.compress
  }

  #lastArrival(): Millis {
    const last = this.#workload.requests.at(-1)
    return last ? this.#timeOf(last) : 0
  }

  #submitBacklog(): void {
    const place = this.#workload.models.length + (this.#lastJobId % backlogModels.length)
    this.#submit(backlogRequest(place, this.#timeline.now), false, true)
  }

  #submit(request: WorkloadRequest, counts: boolean, isBacklog: boolean): void {
    this.#lastJobId += 1
    const jobId = this.#lastJobId as JobId
    const { now } = this.#timeline
    const execMs = this.#options.execution === 'none' ? 0 : this.#drawExecMs(request.execMs)
    this.#jobs.set(jobId, { request, submittedAt: now, execMs, counts, isBacklog, savedMs: 0 })
    this.#feed({ type: 'jobsSubmitted', jobs: [specOf(jobId, request, now)] })
  }

  #feed(event: SchedulerEvent): void {
    this.#events.push(event)
    if (this.#isFeeding) return
    this.#isFeeding = true
    for (let next = this.#events.shift(); next; next = this.#events.shift()) this.#take(next)
    this.#isFeeding = false
  }

  #take(event: SchedulerEvent): void {
    this.#steps += 1
    this.#expectProgress(event)
    const commands = step(this.#state, event, this.#timeline.now)
    if (this.#audit) {
      this.#audit.observe(event, commands)
      const problems = [...this.#audit.problems, ...brokenInvariants(this.#state)]
      if (problems.length > 0) throw new Error(`After ${JSON.stringify(event)}:\n${problems.join('\n')}`)
    }
    for (const command of commands) this.#carryOut(command)
  }

  #expectProgress(event: SchedulerEvent): void {
    const { now } = this.#timeline
    this.#atOnce = now === this.#latest ? this.#atOnce + 1 : 0
    this.#latest = now
    if (this.#atOnce > eventsAtOnceMax * (1 + this.#options.devices + this.#jobs.size + this.#models.length))
      throw new Error(`The world goes in circles at ${now} ms; the newest event is ${JSON.stringify(event)}.`)
  }

  #carryOut(command: Command): void {
    if (command.type === 'setTimer') this.#setTimer(command.at)
    else if (command.type === 'residencyEnded') this.#filled(command.deviceId, command.versionId, -1)
    else if (command.type === 'residencyChanged') {
      const { state, deviceId, versionId } = command.residency
      if (state === 'loading' && command.residency.components.length === 0) this.#filled(deviceId, versionId, 1)
    } else if (command.type === 'allocationChanged' || command.type === 'checkVersion') return
    else if (command.type === 'pinDropped') return
    else if ('jobId' in command) this.#takeJobCommand(command)
    else this.#devices.carryOut(command)
  }

  #takeJobCommand(command: JobCommand): void {
    const { jobId, type } = command
    const job = this.#jobs.get(jobId)
    if (!job) return
    if (type === 'jobPaused') this.#measures.pauses += 1
    if (type !== 'jobSucceeded' && type !== 'jobFailed' && type !== 'jobCancelled') return
    this.#jobs.delete(jobId)
    if (job.isBacklog) return this.#backlogEnded()
    this.#left -= 1
    if (type !== 'jobSucceeded') this.#measures.failed += 1
    else if (job.counts) this.#measures.served(job.request.class, this.#timeline.now - job.submittedAt)
    if (this.#options.execution === 'none') this.#awaitNext()
  }

  #backlogEnded(): void {
    this.#measures.backlogEnded += 1
    this.#timeline.after(0, () => this.#submitBacklog())
  }

  #setTimer(at: Millis | null): void {
    this.#timerSet += 1
    const set = this.#timerSet
    if (at !== null) this.#timeline.at(at, () => this.#timerSet === set && this.#feed({ type: 'timerFired' }))
  }

  #loadBegan(versionId: VersionId): void {
    const isBacklog = versionId > this.#workload.models.length
    this.#measures.loadBegan(this.#modelOf(versionId), isBacklog)
  }

  #filled(deviceId: DeviceId, versionId: VersionId, sign: 1 | -1): void {
    this.#measures.filled(deviceId - 1, sign * this.#modelOf(versionId).sizeBytes, this.#timeline.now)
  }

  #computed(deviceIndex: number, taskId: TaskId, ms: Millis): void {
    this.#measures.computed(deviceIndex, ms, this.#jobOf(taskId).isBacklog)
  }

  #drawLoadMs(usualMs: Millis): Millis {
    const { loadFactors, jitter } = this.#options
    const factor = loadFactors.length > 0 ? this.#random.pick(loadFactors) : 1
    return Math.max(1, factor * drawAround(this.#random, usualMs, jitter))
  }

  #drawExecMs(usualMs: Millis): Millis {
    return drawAround(this.#random, usualMs, this.#options.jitter)
  }

  #modelOf(versionId: VersionId): WorkloadModel {
    const model = this.#models[versionId - 1]
    if (!model) throw new Error(`Version ${versionId} is no model of the workload.`)
    return model
  }

  #jobOf(taskId: TaskId): LiveJob {
    const job = this.#jobs.get(Number(taskId) as JobId)
    if (!job) throw new Error(`Task ${taskId} is of no job that goes on.`)
    return job
  }

  #firstLeft(): string {
    for (const [jobId, { request, isBacklog }] of this.#jobs)
      if (!isBacklog) return `job ${jobId} for ${this.#models[request.model]?.name}`
    return 'none that has come'
  }
}

function drawAround(random: Random, usualMs: Millis, jitter: number): Millis {
  return jitter === 0 ? usualMs : drawLogNormal(random, usualMs, jitter)
}

function versionIdOf(place: number): VersionId {
  return (place + 1) as VersionId
}

/** Of one task, which has the number of its job. */
function specOf(jobId: JobId, { model, user, class: priority }: WorkloadRequest, now: Millis): JobSpec {
  const taskId = Number(jobId) as TaskId
  const task = { taskId, versionId: versionIdOf(model), after: [], stage: 'inference' as const, isHeld: false }
  return {
    jobId,
    userId: user === null ? null : (user as UserId),
    sessionId: user === null ? null : (user as SessionId),
    weight: 1,
    work: 1,
    class: priority satisfies PriorityClass,
    submittedAt: now,
    deadlineAt: null,
    tasks: [{ ...task, components: [0] }],
  }
}
