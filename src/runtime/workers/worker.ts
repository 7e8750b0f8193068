/**
 * One worker, from spawn to its end: says what it is asked to say in the order asked, checks and passes on what the worker says,
 * and gives it up when it breaks the protocol, hangs, or does not stop. Its end is told once, as the last thing.
 */
import type { DeviceId, Millis, TaskId, VersionId, WorkerId } from '../../scheduler/ids.ts'
import type { Frame } from './frame.ts'
import { FrameDecoder } from './frame-decoder.ts'
import { Outbox, taskBytesMax } from './outbox.ts'
import { readPrivateBytes } from './process-activity.ts'
import { ProtocolError } from './protocol-error.ts'
import { type Hello, type Report, readReport } from './reports.ts'
import { type AdmittedTask, emptyMeta, type LoadRequest, loadMeta, policyMeta, requestType, type StepPolicy, taskBytes, unloadMeta } from './requests.ts'
import { failureCodes } from './step-entries.ts'
import { type WorkerCommand, workerEnvironment } from './worker-command.ts'
import { nameEnd, type WorkerEnd } from './worker-end.ts'
import type { WorkerLimits } from './worker-limits.ts'
import type { ReportEntry, WorkerListener } from './worker-listener.ts'
import { WorkerLog } from './worker-log.ts'
import { WorkerProcess } from './worker-process.ts'
import { WorkerWatch } from './worker-watch.ts'

export interface WorkerSpec {
  readonly workerId: WorkerId
  readonly deviceId: DeviceId
  readonly engine: string
  readonly threads: number
  readonly cores: readonly number[]
}

export interface WorkerContext {
  readonly command: WorkerCommand
  readonly listener: WorkerListener
  readonly limits: WorkerLimits
  readonly clock: { now(): Millis }
}
/** Called when nothing more comes from it, before the listener is told. */
type WhenGone = () => void

export type WorkerState = 'STARTING' | 'READY' | 'BUSY' | 'HUNG' | 'STOPPING' | 'DEAD'

export interface WorkerDescription {
  readonly workerId: WorkerId
  readonly deviceId: DeviceId
  readonly engine: string
  readonly state: WorkerState
  readonly pid: number | null
  readonly startedAt: Millis
  /** Tasks that ended here. */
  readonly requestsServed: number
  /** Private anonymous memory, as last measured. */
  readonly privateBytes: number | null
}

const protocolVersion = 1

export class Worker {
  readonly spec: WorkerSpec
  /** After `workerExited` was told. */
  readonly ended: Promise<void>
  readonly #context: WorkerContext
  readonly #process: WorkerProcess
  readonly #outbox: Outbox
  readonly #decoder: FrameDecoder
  readonly #log: WorkerLog
  readonly #startedAt: Millis
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #tasks = new Set<TaskId>()
  /** LOAD and UNLOAD that are not answered yet, by requestId. */
  readonly #unanswered = new Map<number, { readonly type: 'load' | 'unload'; readonly versionId: VersionId }>()
  #loadsUnderWay = 0
  #phase: 'starting' | 'running' | 'hung' | 'stopping' | 'dead' = 'starting'
  #watch: WorkerWatch | null = null
  #saidHello = false
  /** Why this side ended it; null while it has not. */
  #givenUp: WorkerEnd | null = null
  #streamIsBroken = false
  #truncation: string | null = null
  #requestsServed = 0
  #privateBytes: number | null = null

  constructor(spec: WorkerSpec, context: WorkerContext, whenGone: WhenGone) {
    const { command, limits, listener } = context
    this.spec = spec
    this.#context = context
    this.#startedAt = context.clock.now()
    this.#log = new WorkerLog(limits.log, monotonicMs, (level, message) => listener.log(spec.workerId, level, message))
    this.#decoder = new FrameDecoder((frame) => this.#take(frame))
    this.#outbox = new Outbox({ now: monotonicMs, depth: limits.pipelineDepth, joinedBytesMax: limits.joinedBytesMax, write: (frames) => this.#process.write(frames) })
    this.#process = new WorkerProcess({
      file: command.file,
      arguments: command.arguments,
      environment: workerEnvironment(spec, command, process.env),
      onChunk: (chunk) => this.#read(chunk),
      onStreamEnd: () => this.#streamEnded(),
      onWritable: () => this.#outbox.writable(),
      onOutput: (chunk) => this.#log.output(chunk),
      onErrorOutput: (chunk) => this.#log.errorOutput(chunk),
    })
    this.#after(limits.helloMsMax, () => {
      if (this.#phase === 'starting') this.#giveUp({ cause: 'spawn_failed', detail: `It said no hello within ${limits.helloMsMax} ms.` })
    })
    this.ended = this.#awaitEnd(whenGone)
  }

  describe(): WorkerDescription {
    const { workerId, deviceId, engine } = this.spec
    return {
      workerId, deviceId, engine,
      state: this.#state(), pid: this.#process.pid, startedAt: this.#startedAt,
      requestsServed: this.#requestsServed, privateBytes: this.#privateBytes,
    }
  }

  load(load: LoadRequest): void {
    this.#loadsUnderWay += 1
    this.#outbox.send(requestType.load, loadMeta(load), (requestId) => this.#unanswered.set(requestId, { type: 'load', versionId: load.versionId }))
  }

  unload(versionId: VersionId): void {
    this.#outbox.send(requestType.unload, unloadMeta(versionId), (requestId) => this.#unanswered.set(requestId, { type: 'unload', versionId }))
  }

  setPolicy(policy: StepPolicy): void {
    this.#outbox.send(requestType.policy, policyMeta(policy))
  }

  admit(tasks: readonly AdmittedTask[]): void {
    const refused: ReportEntry[] = []
    for (const task of tasks) {
      const bytes = tryTaskBytes(task)
      if (typeof bytes === 'string') {
        refused.push({ kind: 'failed', taskId: task.taskId, code: 'invalid_request', message: bytes, retryable: false })
      } else {
        this.#tasks.add(task.taskId)
        this.#outbox.admit(task.taskId, bytes)
      }
    }
    if (refused.length > 0) setImmediate(() => this.#phase !== 'dead' && this.#context.listener.stepsReported(this.spec.workerId, refused))
  }

  withdraw(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) this.#outbox.withdraw(taskId)
  }

  cancel(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) this.#outbox.cancel(taskId)
  }

  credit(taskId: TaskId, items: number): void {
    if (this.#tasks.has(taskId)) this.#outbox.credit(taskId, items)
  }

  /** Asks it to end, then insists; `ended` follows within the limits' times. */
  stop(): void {
    if (this.#phase === 'stopping' || this.#phase === 'hung' || this.#phase === 'dead') return
    const { shutdownMsMax, terminateMsMax } = this.#context.limits
    const graceMs = this.#phase === 'running' ? shutdownMsMax : 0
    this.#outbox.send(requestType.shutdown, emptyMeta)
    this.#phase = 'stopping'
    this.#watch?.stop()
    this.#givenUp = { cause: 'requested', detail: 'It was asked to stop.' }
    this.#after(graceMs, () => this.#process.signalGroup('SIGTERM'))
    this.#after(graceMs + terminateMsMax, () => this.#process.signalGroup('SIGKILL'))
  }

  /** Ends it at once; `reason` is a clause for its detail. */
  kill(reason: string): void {
    this.#giveUp({ cause: 'requested', detail: `It was killed: ${reason}.` })
  }

  #state(): WorkerState {
    switch (this.#phase) {
      case 'starting':
        return 'STARTING'
      case 'running':
        return this.#tasks.size > 0 || this.#loadsUnderWay > 0 ? 'BUSY' : 'READY'
      case 'hung':
        return 'HUNG'
      case 'stopping':
        return 'STOPPING'
      case 'dead':
        return 'DEAD'
      default:
        return this.#phase satisfies never
    }
  }

  /** Breaking the protocol ends the worker, and what follows is not read; any other error is ours and goes on up. */
  #read(chunk: Buffer): void {
    if (this.#streamIsBroken) return
    try {
      this.#decoder.push(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#streamIsBroken = true
      this.#giveUp({ cause: 'protocol_error', detail: error.message })
    }
  }

  #take(frame: Frame): void {
    const report = readReport(frame)
    if (!this.#saidHello) {
      if (report.kind !== 'hello') throw new ProtocolError('order', `A worker's first frame must be HELLO, not ${report.kind}.`)
      this.#begin(report)
      return
    }
    this.#outbox.acknowledge(frame.acknowledged)
    this.#handle(report, frame.requestId)
  }

  #begin(hello: Hello): void {
    const { workerId, engine } = this.spec
    if (hello.protocol !== protocolVersion) throw new ProtocolError('order', `The worker speaks protocol ${hello.protocol}, this server ${protocolVersion}.`)
    if (hello.epoch !== workerId) throw new ProtocolError('order', `The worker says that it is of epoch ${hello.epoch}; this is ${workerId}.`)
    if (hello.engine !== engine) throw new ProtocolError('order', `The worker runs the engine ${JSON.stringify(hello.engine)}, not ${JSON.stringify(engine)}.`)
    this.#saidHello = true
    if (this.#phase !== 'starting') return
    this.#phase = 'running'
    const pid = this.#process.pid ?? hello.pid
    const privateBytes = readPrivateBytes(pid) ?? 0
    this.#privateBytes = privateBytes
    this.#watch = new WorkerWatch({
      pid,
      outbox: this.#outbox,
      limits: this.#context.limits,
      now: monotonicMs,
      isLoading: () => this.#loadsUnderWay > 0,
      onHung: (reason) => this.#hung(reason),
      onMeasured: (bytes) => this.#measured(bytes),
    })
    this.#outbox.open()
    const { programs, capabilities, versions } = hello
    this.#context.listener.workerReady(workerId, { privateBytes, pid, programs, capabilities, versions })
  }

  #handle(report: Report, requestId: number): void {
    const { listener } = this.#context
    const { workerId } = this.spec
    switch (report.kind) {
      case 'steps':
        this.#watch?.progress(report.progress)
        if (report.entries.length > 0) listener.stepsReported(workerId, report.entries.map((entry) => this.#settle(entry)))
        return
      case 'partial':
        this.#requireTask(report.taskId, 'PARTIAL')
        listener.partial(workerId, report.taskId, report.values, report.creditLeft)
        return
      case 'loaded':
        this.#answered(requestId, 'load', report.versionId)
        listener.modelLoaded(workerId, report.versionId, { loadMs: report.loadMs, weightsBytes: report.weightsBytes, privateBytes: report.privateBytes })
        return
      case 'unloaded':
        this.#answered(requestId, 'unload', report.versionId)
        listener.modelUnloaded(workerId, report.versionId)
        this.#watch?.measured(report.privateBytes)
        return
      case 'error':
        this.#refused(requestId, report)
        return
      case 'pong':
        this.#watch?.pong(report.progress, report.busy)
        return
      case 'statsReport':
        this.#watch?.measured(report.privateBytes)
        return
      case 'log':
        this.#log.frame(report.level, report.message)
        return
      case 'ack':
        return
      case 'revoked':
      case 'checkpointed':
      case 'slabRequest':
        throw new ProtocolError('order', `A frame \`${report.kind}\` came, which answers what this server does not ask.`)
      case 'hello':
        throw new ProtocolError('order', 'HELLO came a second time.')
      default:
        return report satisfies never
    }
  }

  /** Keeps the list of its tasks: an entry about a task that it does not have would give a task two ends. */
  #settle(entry: ReportEntry): ReportEntry {
    this.#requireTask(entry.taskId, entry.kind)
    if (entry.kind === 'paused') throw new ProtocolError('order', '`paused` came, but nothing was asked to pause.')
    const hasEnded = entry.kind === 'done' || entry.kind === 'failed' || entry.kind === 'cancelled'
    if (hasEnded) this.#requestsServed += 1
    if (hasEnded || entry.kind === 'withdrawn') this.#tasks.delete(entry.taskId)
    return entry
  }

  #requireTask(taskId: TaskId, what: string): void {
    if (!this.#tasks.has(taskId)) throw new ProtocolError('order', `\`${what}\` came for task ${taskId}, which this worker does not have.`)
  }

  #answered(requestId: number, type: 'load' | 'unload', versionId: VersionId): void {
    const asked = this.#unanswered.get(requestId)
    if (asked?.type !== type || asked.versionId !== versionId) throw new ProtocolError('order', `Request ${requestId} was answered as if it had been to ${type} model ${versionId}.`)
    this.#unanswered.delete(requestId)
    if (type === 'load') this.#loadsUnderWay -= 1
  }

  #refused(requestId: number, error: Extract<Report, { kind: 'error' }>): void {
    const asked = this.#unanswered.get(requestId)
    if (asked?.type !== 'load') {
      if (error.code === 'unsupported') return this.#log.frame('warning', error.message)
      // Of nothing else can the server know what was done of it, so the worker is replaced.
      throw new ProtocolError('order', `The worker answered ${requestId === 0 ? 'the stream' : `request ${requestId}`} with an error (${error.code}): ${error.message}`)
    }
    this.#unanswered.delete(requestId)
    this.#loadsUnderWay -= 1
    const code = failureCodes.find((known) => known === error.code) ?? 'engine_error'
    this.#context.listener.modelLoadFailed(this.spec.workerId, asked.versionId, { code, message: error.message, retryable: error.retryable })
  }

  #measured(privateBytes: number): void {
    this.#privateBytes = privateBytes
    this.#context.listener.workerMeasured(this.spec.workerId, privateBytes)
  }

  #hung(reason: string): void {
    if (this.#phase !== 'running') return
    this.#phase = 'hung'
    this.#context.listener.log(this.spec.workerId, 'error', `The worker hangs: ${reason}. Its stacks follow if it still prints them.`)
    // The worker prints all its stacks on this signal, even while native code holds the interpreter.
    this.#process.signal('SIGUSR1')
    this.#after(this.#context.limits.stacksMsMax, () => this.#giveUp({ cause: 'signal', detail: `It was killed because it hung: ${reason}.` }))
  }

  #streamEnded(): void {
    if (!this.#streamIsBroken) this.#truncation = this.#decoder.truncation()
    // Half a frame of a process that was killed is no fault of its own: what happened is known when it is reaped, which is now or never.
    this.#after(this.#context.limits.exitAfterStreamEndMsMax, () => {
      this.#giveUp({ cause: 'protocol_error', detail: this.#truncation ?? 'It closed its stream and went on running.' })
    })
  }

  #giveUp(end: WorkerEnd): void {
    if (this.#phase === 'dead') return
    this.#givenUp ??= end
    this.#outbox.close()
    this.#process.signalGroup('SIGKILL')
  }

  async #awaitEnd(whenGone: WhenGone): Promise<void> {
    const processEnd = await this.#process.ended
    this.#phase = 'dead'
    this.#watch?.stop()
    this.#outbox.close()
    for (const timer of this.#timers) clearTimeout(timer)
    this.#log.end()
    whenGone()
    const { cause, detail } = this.#givenUp ?? nameEnd(processEnd, this.#saidHello, this.#truncation)
    this.#context.listener.workerExited(this.spec.workerId, cause, detail)
  }

  #after(delayMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      action()
    }, delayMs)
    this.#timers.add(timer)
  }
}

/** Durations are measured with a clock that nobody sets. */
function monotonicMs(): number {
  return performance.now()
}

/** The encoded task, or why it cannot be sent. */
function tryTaskBytes(task: AdmittedTask): Buffer | string {
  try {
    const bytes = taskBytes(task)
    if (bytes.length <= taskBytesMax) return bytes
    return `The request takes ${bytes.length} bytes on its way to a worker; ${taskBytesMax} are possible.`
  } catch (error) {
    return `The request cannot be sent to a worker: ${error instanceof Error ? error.message : String(error)}.`
  }
}
