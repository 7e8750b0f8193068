/**
 * One worker process, from spawn to its end: converses with it, watches it, and gives it up when it breaks the protocol, hangs, or does not stop.
 * Its end is told once, as the last thing.
 */
import type { DeviceId, Millis, WorkerId } from '../../scheduler/ids.ts'
import type { TensorMemory } from '../memory/tensor-memory.ts'
import { Conversation } from './conversation.ts'
import { PatientClock } from './patient-clock.ts'
import { readPrivateBytes } from './process-activity.ts'
import { ProtocolError } from './protocol-error.ts'
import type { Hello } from './reports.ts'
import { type WorkerCommand, type WorkerSpec, workerEnvironment } from './worker-command.ts'
import { nameEnd, type WorkerEnd } from './worker-end.ts'
import type { WorkerLimits } from './worker-limits.ts'
import type { WorkerListener } from './worker-listener.ts'
import { WorkerLog } from './worker-log.ts'
import { WorkerProcess } from './worker-process.ts'
import { WorkerWatch } from './worker-watch.ts'

export interface WorkerContext {
  readonly command: WorkerCommand
  readonly listener: WorkerListener
  readonly limits: WorkerLimits
  readonly memory: TensorMemory
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
  /** How long the oldest unacknowledged frame has been waiting; 0 = none. */
  readonly silentMs: number
}

export class Worker {
  readonly spec: WorkerSpec
  readonly conversation: Conversation
  /** After `workerExited` was told. */
  readonly ended: Promise<void>
  readonly #context: WorkerContext
  readonly #process: WorkerProcess
  readonly #log: WorkerLog
  readonly #clock: PatientClock
  readonly #startedAt: Millis
  readonly #timers = new Set<NodeJS.Timeout>()
  #phase: 'starting' | 'running' | 'hung' | 'stopping' | 'dead' = 'starting'
  #watch: WorkerWatch | null = null
  /** Why this side ended it; null while it has not. */
  #givenUp: WorkerEnd | null = null
  #isSuspected = false
  #streamIsBroken = false
  #truncation: string | null = null
  #privateBytes: number | null = null

  constructor(spec: WorkerSpec, context: WorkerContext, whenGone: WhenGone) {
    const { limits } = context
    this.spec = spec
    this.#context = context
    this.#startedAt = context.clock.now()
    this.#clock = new PatientClock(monotonicMs, limits.stallMsMax)
    this.#log = new WorkerLog(limits.log, monotonicMs, (level, message) => this.#say(level, message))
    this.conversation = this.#openConversation()
    this.#process = this.#start()
    this.ended = this.#awaitEnd(whenGone)
    this.#after(limits.helloMsMax, () => {
      if (this.conversation.saidHello) return
      this.#giveUp({ cause: 'spawn_failed', detail: `It said no hello within ${limits.helloMsMax} ms.` })
    })
  }

  describe(): WorkerDescription {
    const { workerId, deviceId, engine } = this.spec
    return {
      workerId,
      deviceId,
      engine,
      state: this.#state(),
      pid: this.#process.pid,
      startedAt: this.#startedAt,
      requestsServed: this.conversation.tasks.endedCount,
      privateBytes: this.#privateBytes,
      silentMs: this.conversation.silenceMs(),
    }
  }

  /** Asks it to end, then insists; `ended` follows within the limits' times. */
  stop(): void {
    if (this.#phase !== 'starting' && this.#phase !== 'running') return
    const { shutdownMsMax, terminateMsMax } = this.#context.limits
    // Before its hello nothing may be said to it.
    const graceMs = this.#phase === 'running' ? shutdownMsMax : 0
    this.#phase = 'stopping'
    this.#givenUp ??= { cause: 'requested', detail: 'It was asked to stop.' }
    this.#watch?.stop()
    this.conversation.shutDown()
    this.#after(graceMs, () => this.#process.signalGroup('SIGTERM'))
    this.#after(graceMs + terminateMsMax, () => this.#process.signalGroup('SIGKILL'))
  }

  /** Ends it at once; `reason` is a clause for its detail. */
  kill(reason: string): void {
    this.#giveUp({ cause: 'requested', detail: `It was killed: ${reason}.` })
  }

  #openConversation(): Conversation {
    const { limits, listener, memory } = this.#context
    return new Conversation({
      workerId: this.spec.workerId,
      engine: this.spec.engine,
      limits,
      now: () => this.#clock.now(),
      write: (frames) => this.#process.write(frames),
      onHello: (hello) => this.#begin(hello),
      onPong: (progress, isStepping, declaredStepMs) => this.#watch?.pong(progress, isStepping, declaredStepMs),
      onProgress: (progress) => this.#watch?.progress(progress),
      onMeasured: (privateBytes) => this.#watch?.measured(privateBytes),
      onStats: (privateBytes) => this.#watch?.stats(privateBytes),
      onLog: (level, message) => this.#log.frame(level, message),
      onHold: (isHeld) => this.#process.holdReading(isHeld),
      memory,
      listener,
    })
  }

  #start(): WorkerProcess {
    const { command } = this.#context
    return new WorkerProcess({
      file: command.file,
      arguments: command.arguments,
      environment: workerEnvironment(this.spec, command, process.env),
      onChunk: (chunk) => this.#read(chunk),
      onStreamEnd: () => this.#streamEnded(),
      onWritable: () => this.conversation.writable(),
      onOutput: (chunk) => this.#log.output(chunk),
      onErrorOutput: (chunk) => this.#log.errorOutput(chunk),
    })
  }

  #state(): WorkerState {
    switch (this.#phase) {
      case 'starting':
        return 'STARTING'
      case 'running':
        // Of one that does not answer nobody knows whether it computes.
        if (this.#isSuspected) return 'HUNG'
        return this.conversation.tasks.count > 0 || this.conversation.isLoading ? 'BUSY' : 'READY'
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

  #begin(hello: Hello): void {
    if (this.#phase !== 'starting') return
    this.#phase = 'running'
    const pid = this.#process.pid ?? hello.pid
    const privateBytes = readPrivateBytes(pid) ?? 0
    this.#privateBytes = privateBytes
    this.#watch = new WorkerWatch({
      pid,
      conversation: this.conversation,
      limits: this.#context.limits,
      clock: this.#clock,
      onLook: () => this.#log.look(),
      onSuspected: (isSuspected) => this.#suspected(isSuspected),
      onHung: (reason) => this.#hung(reason),
      onMeasured: (bytes) => this.#measured(bytes),
    })
    const { programs, capabilities, versions } = hello
    const { workerId } = this.spec
    this.#context.listener.workerReady(workerId, { privateBytes, pid, programs, capabilities, versions })
  }

  /** Breaking the protocol ends the worker, and what follows is not read; any other error is ours and goes on up. */
  #read(chunk: Buffer): void {
    if (this.#streamIsBroken) return
    try {
      this.conversation.read(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#streamIsBroken = true
      this.#giveUp({ cause: 'protocol_error', detail: error.message })
    }
  }

  #streamEnded(): void {
    if (!this.#streamIsBroken) this.#truncation = this.conversation.truncation()
    // Half a frame of a process that was killed is no fault of its own: what happened is known when it is reaped, which is now or never.
    this.#after(this.#context.limits.exitAfterStreamEndMsMax, () => {
      const detail = this.#truncation ?? 'It closed its stream and went on running.'
      this.#giveUp({ cause: 'protocol_error', detail })
    })
  }

  #suspected(isSuspected: boolean): void {
    const { listener } = this.#context
    this.#isSuspected = isSuspected
    if (isSuspected) listener.workerSuspected(this.spec.workerId)
    else listener.workerAnswered(this.spec.workerId)
  }

  #hung(reason: string): void {
    if (this.#phase !== 'running') return
    this.#phase = 'hung'
    this.#givenUp = { cause: 'signal', detail: `It was killed because it hung: ${reason}.` }
    this.#say('error', `The worker hangs: ${reason}. Its stacks follow if it still prints them.`)
    // The worker prints all its stacks on this signal, even while native code holds the interpreter.
    this.#process.signal('SIGUSR1')
    this.#after(this.#context.limits.stacksMsMax, () => this.#process.signalGroup('SIGKILL'))
  }

  #measured(privateBytes: number): void {
    this.#privateBytes = privateBytes
    this.#context.listener.workerMeasured(this.spec.workerId, privateBytes)
  }

  #say(level: 'info' | 'warning' | 'error' | 'debug', message: string): void {
    this.#context.listener.log(this.spec.workerId, level, message)
  }

  #giveUp(end: WorkerEnd): void {
    if (this.#phase === 'dead') return
    this.#givenUp ??= end
    this.conversation.stopSending()
    this.#process.signalGroup('SIGKILL')
  }

  async #awaitEnd(whenGone: WhenGone): Promise<void> {
    const processEnd = await this.#process.ended
    this.#phase = 'dead'
    this.#watch?.stop()
    this.conversation.close()
    for (const timer of this.#timers) clearTimeout(timer)
    this.#log.end()
    whenGone()
    const { cause, detail } = this.#givenUp ?? nameEnd(processEnd, this.conversation.saidHello, this.#truncation)
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
