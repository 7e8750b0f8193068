/**
 * One conversation with a worker that says what a script says, right or wrong, while the server acts now and then. It may end in a ProtocolError and in
 * nothing else; when all is over, no slab, file, transfer or region is left.
 */
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TensorMemory } from '../../src/runtime/memory/tensor-memory.ts'
import { Conversation } from '../../src/runtime/workers/conversation.ts'
import { encodeFrame, headerBytes } from '../../src/runtime/workers/frame.ts'
import { FrameDecoder } from '../../src/runtime/workers/frame-decoder.ts'
import { encode } from '../../src/runtime/workers/message-pack.ts'
import { ProtocolError } from '../../src/runtime/workers/protocol-error.ts'
import { reportType } from '../../src/runtime/workers/reports.ts'
import { type AdmittedTask, requestType } from '../../src/runtime/workers/requests.ts'
import { isLargeTensor, releaseRegions, type TensorRegion } from '../../src/runtime/workers/tensors.ts'
import { defaultWorkerLimits } from '../../src/runtime/workers/worker-limits.ts'
import type { ReportEntry, WorkerListener } from '../../src/runtime/workers/worker-listener.ts'
import type { TaskId, VersionId, WorkerId } from '../../src/scheduler/ids.ts'
import { hello } from '../support/frames.ts'
import { holds, refusedAs } from './target.ts'

/** Comes from scripts that were changed, so any field may be anything. */
export type TalkStep = Readonly<Record<string, unknown>>

const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
/** Small, so that it is soon used up. */
const poolBytesMax = 1024 * 1024
/** A transfer of little more waits in a file. */
const payloadBytesMax = 1024 * 1024
const payloadByte = 7
const settleMsMax = 5000
const refusalCharactersMax = 1001
const workerId = 1 as WorkerId
const nothing = () => {}

export class Talk {
  readonly #memory: TensorMemory
  readonly #conversation: Conversation
  /** Told and neither read nor released yet. */
  #told: (readonly ReportEntry[])[] = []
  #lastRequestId = 0
  readonly #lastOfType = new Map<number, number>()
  #asked = 0
  #granted = 0
  #isFull = false
  #isBroken = false
  #isStopped = false
  #isClosed = false

  static async hold(script: readonly TalkStep[]): Promise<void> {
    const folder = mkdtempSync(join(parent, 'hearth-fuzz-'))
    try {
      const memory = await TensorMemory.open({
        sharedMemory: folder,
        poolBytesMax,
        transferFolder: join(folder, 'transfers'),
      })
      holds(memory.info().problem === null, `there is a pool: ${memory.info().problem}`)
      await new Talk(memory).#hold(script)
      await memory.close()
      await settles('every slab is gone', () => memory.info().sizeBytes === 0)
      await settles('every file is closed', () => openFilesIn(folder) === 0)
      holds(
        readdirSync(folder).every((name) => name === 'transfers'),
        'no file of a slab is left',
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  private constructor(memory: TensorMemory) {
    this.#memory = memory
    const decoder = new FrameDecoder(({ type, requestId }) => {
      this.#lastRequestId = requestId
      this.#lastOfType.set(type, requestId)
      if (type === requestType.slabGrant) this.#granted += 1
    })
    this.#conversation = new Conversation({
      workerId,
      engine: 'none',
      limits: defaultWorkerLimits,
      now: () => performance.now(),
      write: (frames) => {
        for (const frame of frames) decoder.push(frame)
        return !this.#isFull
      },
      onHello: nothing,
      onPong: nothing,
      onProgress: nothing,
      onMeasured: nothing,
      onStats: nothing,
      onLog: nothing,
      onHold: nothing,
      memory,
      listener: this.#listener(),
    })
  }

  async #hold(script: readonly TalkStep[]): Promise<void> {
    this.#read(hello({ capabilities: ['slabs'] }))
    for (const step of script) {
      if ('do' in step) await this.#act(step['do'], count(step['of'], 1))
      else this.#say(step)
    }
    // Where the server has no time to wait, what is still being made is to go all the same.
    const isPatient = this.#isClosed
    await this.#act('close', 0)
    await this.#act('release', 0)
    if (!isPatient) return
    await settles('every slab is free', () => {
      const { freeBytes, sizeBytes } = this.#memory.info()
      return freeBytes === sizeBytes
    })
  }

  /** What the server does; of words that are none of these, nothing. */
  async #act(what: unknown, of: number): Promise<void> {
    if (what === 'release') return this.#release()
    if (what === 'read') return await this.#readTensors()
    if (what === 'turn') return await turn()
    if (this.#isClosed) return
    const conversation = this.#conversation
    const taskId = of as TaskId
    const versionId = of as VersionId
    switch (what) {
      case 'load':
        return conversation.load({ versionId, manifest: {}, directory: '/', components: ['encoder', 'decoder'] })
      case 'unload':
        return conversation.unload(versionId)
      case 'policy':
        return conversation.setPolicy({
          versionId,
          batchLimit: 1,
          holdMs: 0,
          interactiveFirst: true,
          interruptAfterMs: 5,
          checkpointSteps: 5,
          inferenceShare: 0.3,
        })
      case 'admit':
        return conversation.tasks.admit([admitted(of)])
      case 'hold':
        return conversation.tasks.admit([{ ...admitted(of), isHeld: true, inputs: { before: (of - 1) as TaskId } }])
      case 'restore':
        return conversation.tasks.admit([{ ...admitted(of), saved: Buffer.alloc(100) }])
      case 'withdraw':
        return conversation.tasks.withdraw([taskId])
      case 'cancel':
        return conversation.tasks.cancel([taskId])
      case 'pause':
        return conversation.tasks.pause([taskId])
      case 'resume':
        return conversation.tasks.resume([taskId])
      case 'checkpoint':
        return conversation.tasks.checkpoint([taskId])
      case 'drop':
        return conversation.tasks.release([taskId])
      case 'lease':
        return conversation.grantLease()
      case 'revoke':
        return conversation.revokeLease()
      case 'credit':
        return conversation.tasks.credit(taskId, 10)
      case 'ping':
        return conversation.ping()
      case 'stats':
        return conversation.askForStats()
      case 'full':
        this.#isFull = true
        return
      case 'writable':
        this.#isFull = false
        return conversation.writable()
      case 'wait':
        return await this.#waitForSlabs()
      case 'stop':
        this.#isStopped = true
        return conversation.stopSending()
      case 'close':
        this.#isClosed = true
        return conversation.close()
    }
  }

  #say(step: TalkStep): void {
    const type = reportType[step['say'] as keyof typeof reportType] ?? count(step['say'], 0) % 256
    const { meta = {}, hex } = step
    const payload = Buffer.alloc(Math.min(count(step['payload'], 0), payloadBytesMax), payloadByte)
    const frame = encodeFrame({
      type,
      requestId: uint32(step['requestId'] ?? this.#lastOfType.get(answeredBy(type))),
      acknowledged: uint32(step['acknowledged'] ?? this.#lastRequestId),
      meta: typeof hex === 'string' ? Buffer.from(hex, 'hex') : encode(meta),
      payload,
    })
    const at = headerBytes + count(step['at'], frame.length)
    if (at < frame.length) frame[at] = count(step['to'], 0)
    if (type === reportType.slabRequest) this.#asked += 1
    this.#read(frame)
  }

  #read(frame: Buffer): void {
    if (this.#isBroken || this.#isClosed) return
    try {
      this.#conversation.read(frame)
    } catch (error) {
      refusedAs(error, ProtocolError)
      holds((error as Error).message.length <= refusalCharactersMax, 'a refusal is short')
      this.#isBroken = true
      // As who owns it does: the worker is given up.
      this.#isStopped = true
      this.#conversation.stopSending()
    }
    // Nothing may refer to it any more.
    frame.fill(0xff)
  }

  /** A worker that asks is answered, whatever it has said before. */
  async #waitForSlabs(): Promise<void> {
    this.#isFull = false
    this.#conversation.writable()
    await settles('requests for slabs are answered', () => {
      if (this.#isBroken || this.#isStopped || this.#granted >= this.#asked) return true
      const meta = encode({})
      const acknowledged = this.#lastRequestId
      this.#read(encodeFrame({ type: reportType.ack, requestId: 0, acknowledged, meta, payload: Buffer.alloc(0) }))
      return false
    })
  }

  #release(): void {
    for (const entries of this.#told.splice(0)) releaseRegions(entries)
  }

  async #readTensors(): Promise<void> {
    for (const entries of this.#told.splice(0)) {
      for (const region of regionsIn(entries)) {
        let bytes = 0
        for await (const piece of region.pieces()) {
          holds(
            piece.every((byte) => byte === 0 || byte === payloadByte),
            'a tensor is what the worker sent',
          )
          bytes += piece.length
        }
        holds(bytes === region.sizeBytes, 'a tensor is as long as it says')
      }
      releaseRegions(entries)
    }
  }

  #listener(): WorkerListener {
    const told = () => holds(!this.#isClosed, 'nothing is told after the end')
    return {
      workerReady: told,
      workerExited: told,
      modelLoaded: told,
      modelLoadFailed: told,
      modelUnloaded: told,
      componentLoaded: told,
      taskCheckpointed: told,
      leaseRevoked: told,
      stepsReported: (_, entries) => {
        told()
        this.#told.push(entries)
      },
      stepsTimed: told,
      partial: told,
      workerSuspected: told,
      workerAnswered: told,
      workerMeasured: told,
      log: told,
    }
  }
}

function regionsIn(value: unknown): TensorRegion[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return []
  return isLargeTensor(value) ? [value.region] : Object.values(value).flatMap(regionsIn)
}

/** Checked before anything is waited for, so that what is done at once takes no time. */
async function settles(what: string, isSo: () => boolean): Promise<void> {
  const until = performance.now() + settleMsMax
  while (!isSo()) {
    holds(performance.now() < until, what)
    await turn()
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}

/** Those without a name count too. */
function openFilesIn(folder: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)
    } catch {
      return false // It was that of the reading of the folder itself.
    }
  }).length
}

function answeredBy(type: number): number {
  if (type === reportType.revoked) return requestType.revoke
  return type === reportType.unloaded ? requestType.unload : requestType.load
}

function count(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : otherwise
}

function uint32(value: unknown): number {
  return count(value, 0) % 2 ** 32
}

function admitted(task: number): AdmittedTask {
  return {
    taskId: task as TaskId,
    versionId: 3 as VersionId,
    program: 'noop',
    components: [],
    request: {},
    class: 'interactive',
    order: task,
    attempt: 1,
    deadlineMs: null,
    credit: 16,
    stage: 'inference',
    isHeld: false,
    inputs: {},
    saved: null,
  }
}
