/**
 * One side of PROTOCOL.md, spoken with one worker: requests go out numbered and pipelined, reports are checked and passed on.
 * It knows bytes and nothing of processes; who owns it decides what a ProtocolError means.
 */
import type { VersionId, WorkerId } from '../../scheduler/ids.ts'
import type { TensorMemory } from '../memory/tensor-memory.ts'
import type { SlabMessages } from '../memory/worker-slabs.ts'
import type { WorkerTensors } from '../memory/worker-tensors.ts'
import type { Frame } from './frame.ts'
import { FrameDecoder } from './frame-decoder.ts'
import { Lease } from './lease.ts'
import { ModelRequests } from './model-requests.ts'
import { Outbox } from './outbox.ts'
import { ProtocolError } from './protocol-error.ts'
import { type Hello, type LogLevel, type Report, readReport } from './reports.ts'
import {
  emptyMeta,
  type LoadRequest,
  loadMeta,
  policyMeta,
  requestType,
  type StepPolicy,
  slabGrantMeta,
  slabNamesMeta,
  unloadMeta,
} from './requests.ts'
import { SlabRequests } from './slab-requests.ts'
import { failureCodes } from './step-entries.ts'
import { byVersion } from './step-times.ts'
import { TaskRequests } from './task-requests.ts'
import { releaseRegions } from './tensors.ts'
import type { WorkerLimits } from './worker-limits.ts'
import type { ReportEntry, WorkerListener } from './worker-listener.ts'

export interface ConversationOptions {
  readonly workerId: WorkerId
  readonly engine: string
  readonly limits: WorkerLimits
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Writes these frames at once; false = full, `writable()` will be called. */
  readonly write: (frames: readonly Buffer[]) => boolean
  /** Once, before anything else is passed on. */
  readonly onHello: (hello: Hello) => void
  /** `declaredStepMs`: how long its program says that the running step lasts; null = it does not say. */
  readonly onPong: (progress: number, isStepping: boolean, declaredStepMs: number | null) => void
  readonly onProgress: (progress: number) => void
  readonly onMeasured: (privateBytes: number) => void
  /** The worker answered STATS. */
  readonly onStats: (privateBytes: number) => void
  readonly onLog: (level: LogLevel, message: string) => void
  /** Whether the stream shall be read: what came cannot be kept any faster. */
  readonly onHold: (isHeld: boolean) => void
  readonly memory: TensorMemory
  readonly listener: WorkerListener
}

const protocolVersion = 1

export class Conversation {
  /** What is asked of its tasks. */
  readonly tasks: TaskRequests
  readonly #options: ConversationOptions
  readonly #outbox: Outbox
  readonly #decoder: FrameDecoder
  readonly #tensors: WorkerTensors
  readonly #models = new ModelRequests()
  readonly #lease = new Lease()
  readonly #slabRequests: SlabRequests
  #saidHello = false
  #isClosed = false
  #isHeld = false
  #servesSlabs = false

  constructor(options: ConversationOptions) {
    const { limits, now, write } = options
    this.#options = options
    this.#slabRequests = new SlabRequests(limits.pipelineDepth)
    this.#outbox = new Outbox({ now, write, depth: limits.pipelineDepth, joinedBytesMax: limits.joinedBytesMax })
    this.tasks = new TaskRequests(this.#outbox, (entries) => this.#report(entries))
    this.#tensors = options.memory.forWorker({ messages: this.#slabMessages(), onHold: (isHeld) => this.#hold(isHeld) })
    this.#decoder = new FrameDecoder((frame) => this.#take(frame))
  }

  get saidHello(): boolean {
    return this.#saidHello
  }

  get isLoading(): boolean {
    return this.#models.isLoading
  }

  /** Loads and components that have ended since its start. */
  get loadedCount(): number {
    return this.#models.loadedCount
  }

  /** How long the loads under way may compute without getting on; null = nobody knows. */
  get loadMsMax(): number | null {
    return this.#models.loadMsMax
  }

  /** Its stream is not read for now, which is no fault of the worker. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** It may compute: it has the lease, and a task that is not paused, or a model to load. */
  get mayCompute(): boolean {
    return this.isLoading || (this.tasks.someMayStep && !this.#lease.isRevoked)
  }

  load(load: LoadRequest): void {
    const { versionId, components, loadMsMax = null } = load
    const onSent = this.#models.begin({ type: 'load', versionId, unloaded: new Set(components), loadMsMax })
    this.#outbox.send(requestType.load, loadMeta(load), onSent)
  }

  unload(versionId: VersionId): void {
    this.#outbox.send(requestType.unload, unloadMeta(versionId), this.#models.begin({ type: 'unload', versionId }))
  }

  setPolicy(policy: StepPolicy): void {
    this.#outbox.send(requestType.policy, policyMeta(policy))
  }

  /** It may step; each worker begins so. */
  grantLease(): void {
    this.#lease.grant()
    this.#outbox.send(requestType.lease, emptyMeta)
  }

  /** It is to step no more; `leaseRevoked` follows when its running step is over, unless the lease has been granted again by then. */
  revokeLease(): void {
    this.#outbox.send(requestType.revoke, emptyMeta, this.#lease.revoke())
  }

  ping(): void {
    this.#outbox.send(requestType.ping, emptyMeta)
  }

  askForStats(): void {
    this.#outbox.send(requestType.stats, emptyMeta)
  }

  shutDown(): void {
    this.#outbox.send(requestType.shutdown, emptyMeta)
  }

  writable(): void {
    this.#outbox.writable()
  }

  /** How long the oldest unacknowledged frame has been waiting; 0 = none. */
  silenceMs(): number {
    return this.#outbox.silenceMs(this.#options.now())
  }

  /** Nothing is sent any more; what has come can still be read. */
  stopSending(): void {
    this.#outbox.close()
  }

  /** Nothing is passed on any more either: the process is reaped and its stream read to the end. */
  close(): void {
    this.#isClosed = true
    this.#outbox.close()
    this.#tensors.close()
  }

  /** Throws ProtocolError; the frames before the broken one have been passed on, and nothing may be read after it. */
  read(chunk: Buffer): void {
    this.#decoder.push(chunk)
  }

  /** When the stream has ended: what is missing if it ended inside a frame, else null. */
  truncation(): string | null {
    return this.#decoder.truncation()
  }

  #take(frame: Frame): void {
    try {
      this.#takeReport(frame, readReport(frame, this.#tensors))
    } catch (error) {
      this.#tensors.discardFrame()
      throw error
    }
  }

  #takeReport(frame: Frame, report: Report): void {
    if (!this.#saidHello) {
      if (report.kind !== 'hello')
        throw new ProtocolError('order', `A worker's first frame must be HELLO, not ${report.kind}.`)
      this.#begin(report)
      return
    }
    this.#outbox.acknowledge(frame.acknowledged)
    this.#passOn(report, frame.requestId)
  }

  #begin(hello: Hello): void {
    const { workerId, engine, onHello } = this.#options
    requireEqual('protocol', hello.protocol, protocolVersion)
    requireEqual('epoch', hello.epoch, workerId)
    requireEqual('engine', hello.engine, engine)
    this.#saidHello = true
    this.#servesSlabs = hello.capabilities.includes('slabs')
    this.#outbox.open()
    onHello(hello)
  }

  #passOn(report: Report, requestId: number): void {
    const { listener, workerId } = this.#options
    switch (report.kind) {
      case 'steps':
        this.#options.onProgress(report.progress)
        this.#tensors.endFrame(this.tasks.settle(report.entries))
        this.#report(report.entries)
        return
      case 'stepTimes':
        for (const { versionId, samples, tooLarge } of byVersion(report))
          listener.stepsTimed(workerId, versionId, samples, tooLarge)
        return
      case 'partial':
        this.tasks.takeCredit(report.taskId, report.values.length)
        listener.partial(workerId, report.taskId, report.values, report.creditLeft)
        return
      case 'loaded': {
        const { versionId, loadMs, weightsBytes, privateBytes } = report
        this.#models.answered(requestId, 'load', versionId)
        listener.modelLoaded(workerId, versionId, { loadMs, weightsBytes, privateBytes })
        if (this.#servesSlabs) this.#tensors.loaded(versionId)
        return
      }
      case 'componentLoaded':
        this.#models.componentLoaded(report.versionId, report.component)
        listener.componentLoaded(workerId, report.versionId, report.component)
        return
      case 'unloaded':
        this.#models.answered(requestId, 'unload', report.versionId)
        listener.modelUnloaded(workerId, report.versionId)
        this.#options.onMeasured(report.privateBytes)
        return
      case 'error':
        this.#refused(requestId, report)
        return
      case 'pong':
        this.#options.onPong(report.progress, report.busy, report.stepMs)
        return
      case 'statsReport':
        if (report.handOver) this.#tensors.handedOver(report.handOver)
        this.#options.onStats(report.privateBytes)
        return
      case 'log':
        this.#options.onLog(report.level, report.message)
        return
      case 'ack':
        return
      case 'chunk':
        this.#tensors.takeChunk(report)
        return
      case 'slabRequest':
        this.#slabRequests.take()
        this.#tensors.request(report.sizeBytes, report.count)
        return
      case 'slabsDropped':
        this.#tensors.dropped(report.slabs)
        return
      case 'revoked':
        this.#lease.revoked(requestId)
        if (this.#lease.isRevoked) listener.leaseRevoked(workerId)
        return
      case 'checkpointed':
        this.tasks.checkpointed(report.taskId)
        listener.taskCheckpointed(workerId, report.taskId, report.step, report.saved)
        return
      case 'hello':
        throw new ProtocolError('order', 'HELLO came a second time.')
      default:
        return report satisfies never
    }
  }

  /** Whoever is told owns the large tensors in what is told. */
  #report(entries: readonly ReportEntry[]): void {
    if (this.#isClosed) for (const entry of entries) releaseRegions(entry)
    else if (entries.length > 0) this.#options.listener.stepsReported(this.#options.workerId, entries)
  }

  #hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    this.#options.onHold(isHeld)
  }

  #slabMessages(): SlabMessages {
    return {
      grant: (slabs, refused) =>
        this.#outbox.send(requestType.slabGrant, slabGrantMeta(slabs, refused), () => this.#slabRequests.granted()),
      giveBack: (slabs) => this.#outbox.send(requestType.slabReturn, slabNamesMeta(slabs)),
      recall: (slabs) => this.#outbox.send(requestType.slabRecall, slabNamesMeta(slabs)),
    }
  }

  #refused(requestId: number, error: Extract<Report, { kind: 'error' }>): void {
    const { listener, workerId, onLog } = this.#options
    const { message, retryable } = error
    const load = this.#models.loadRefused(requestId)
    if (load) {
      const code = failureCodes.find((known) => known === error.code) ?? 'engine_error'
      listener.modelLoadFailed(workerId, load.versionId, { code, message, retryable })
    } else if (error.code === 'unsupported') {
      onLog('warning', message)
    } else {
      // Of nothing else can the server know what was done of it, so the worker is replaced.
      const what = requestId === 0 ? 'the stream' : `request ${requestId}`
      throw new ProtocolError('order', `The worker answered ${what} with an error (${error.code}): ${message}`)
    }
  }
}

function requireEqual(name: string, came: string | number, expected: string | number): void {
  if (came === expected) return
  throw new ProtocolError(
    'order',
    `\`${name}\` of HELLO must be ${JSON.stringify(expected)}, not ${JSON.stringify(came)}.`,
  )
}
