/** What a worker says (PROTOCOL.md section 4, types 64 to 127), read from frames and checked once; everything behind this file trusts it. */
import type { TaskId } from '../../scheduler/ids.ts'
import type { Frame } from './frame.ts'
import { FramePayload } from './frame-payload.ts'
import {
  type Chunk,
  readChunk,
  readSlabRequest,
  readSlabsDropped,
  type SlabRequest,
  type SlabsDropped,
} from './large-tensor-reports.ts'
import {
  bytesField,
  countField,
  decodeMetadata,
  flagField,
  listField,
  mapField,
  optionalCountField,
  textField,
  textListField,
  wordField,
} from './metadata.ts'
import { type ModelReport, readComponentLoaded, readLoaded, readUnloaded } from './model-reports.ts'
import { ProtocolError } from './protocol-error.ts'
import { readStats, type StatsReport } from './stats-report.ts'
import { readStepEntry, type StepEntry } from './step-entries.ts'
import { readStepTimes, type StepTimes } from './step-times.ts'
import { type LargeTensors, materialize, noLargeTensors } from './tensors.ts'

export const reportType = {
  hello: 64,
  loaded: 65,
  unloaded: 66,
  steps: 67,
  partial: 68,
  pong: 69,
  statsReport: 70,
  log: 71,
  error: 72,
  ack: 73,
  revoked: 74,
  checkpointed: 75,
  slabRequest: 76,
  chunk: 77,
  slabsDropped: 78,
  componentLoaded: 79,
  stepTimes: 80,
} as const

/** A state that takes more is not saved. */
const savedBytesMax = 4 * 1024 * 1024

export type LogLevel = 'debug' | 'info' | 'warning' | 'error'
const logLevels: readonly LogLevel[] = ['debug', 'info', 'warning', 'error']

export interface Hello {
  readonly kind: 'hello'
  readonly protocol: number
  readonly epoch: number
  readonly engine: string
  readonly pid: number
  readonly programs: readonly string[]
  readonly capabilities: readonly string[]
  /** Of the interpreter and the engine, by name. */
  readonly versions: Readonly<Record<string, unknown>>
}

export type Report =
  | Hello
  | ModelReport
  | { readonly kind: 'steps'; readonly entries: readonly StepEntry[]; readonly progress: number }
  | {
      readonly kind: 'partial'
      readonly taskId: TaskId
      readonly values: readonly unknown[]
      readonly creditLeft: number
    }
  /** `stepMs`: how long its program says that the running step lasts; null = it does not say. */
  | { readonly kind: 'pong'; readonly progress: number; readonly busy: boolean; readonly stepMs: number | null }
  | StatsReport
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string; readonly logger: string }
  | { readonly kind: 'error'; readonly code: string; readonly message: string; readonly retryable: boolean }
  | { readonly kind: 'ack' }
  | { readonly kind: 'revoked' }
  | { readonly kind: 'checkpointed'; readonly taskId: TaskId; readonly step: number; readonly saved: Uint8Array }
  | StepTimes
  | SlabRequest
  | Chunk
  | SlabsDropped

/**
 * Throws ProtocolError. Nothing of the result refers to the frame's buffers, chunks aside. Regions of `large` that were claimed for a
 * frame that is refused in the end are left to who gave them.
 */
export function readReport(frame: Frame, large: LargeTensors): Report {
  switch (frame.type) {
    case reportType.steps:
      return readSteps(frame, large)
    case reportType.ack:
      return readAck(frame)
    case reportType.partial:
      return readPartial(frame)
    case reportType.pong:
      return readPong(frame)
    case reportType.hello:
      return readHello(frame)
    case reportType.loaded:
      return readLoaded(frame)
    case reportType.unloaded:
      return readUnloaded(frame)
    case reportType.statsReport:
      return readStats(frame)
    case reportType.log:
      return readLog(frame)
    case reportType.error:
      return readError(frame)
    case reportType.revoked:
      decodeMetadata(frame.meta, 'REVOKED')
      return { kind: 'revoked' }
    case reportType.checkpointed:
      return readCheckpointed(frame)
    case reportType.slabRequest:
      return readSlabRequest(frame)
    case reportType.chunk:
      return readChunk(frame)
    case reportType.slabsDropped:
      return readSlabsDropped(frame)
    case reportType.componentLoaded:
      return readComponentLoaded(frame)
    case reportType.stepTimes:
      return readStepTimes(frame)
    default:
      throw new ProtocolError(
        'type',
        `A worker's frame must have a type from ${reportType.hello} to ${reportType.stepTimes}, not ${frame.type}.`,
      )
  }
}

function readHello(frame: Frame): Hello {
  const map = decodeMetadata(frame.meta, 'HELLO')
  return {
    kind: 'hello',
    protocol: countField(map, 'protocol', 'HELLO'),
    epoch: countField(map, 'epoch', 'HELLO'),
    engine: textField(map, 'engine', 'HELLO'),
    pid: countField(map, 'pid', 'HELLO'),
    programs: textListField(map, 'programs', 'HELLO'),
    capabilities: textListField(map, 'capabilities', 'HELLO'),
    versions: mapField(map, 'versions', 'HELLO'),
  }
}

function readSteps(frame: Frame, large: LargeTensors): Report {
  const map = decodeMetadata(frame.meta, 'STEPS')
  const payload = new FramePayload(frame.payload)
  const entries = listField(map, 'entries', 'STEPS').map((entry) => readStepEntry(entry, payload, large))
  return { kind: 'steps', entries, progress: countField(map, 'progress', 'STEPS') }
}

function readPartial(frame: Frame): Report {
  const map = decodeMetadata(frame.meta, 'PARTIAL')
  const payload = new FramePayload(frame.payload)
  return {
    kind: 'partial',
    taskId: countField(map, 'task', 'PARTIAL') as TaskId,
    values: listField(map, 'values', 'PARTIAL').map((value) => materialize(value, payload, noLargeTensors)),
    creditLeft: countField(map, 'left', 'PARTIAL'),
  }
}

const emptyMap = 0x80

function readAck(frame: Frame): Report {
  // Hundreds come in a second, and nearly all are this one byte.
  if (frame.meta.length !== 1 || frame.meta[0] !== emptyMap) decodeMetadata(frame.meta, 'ACK')
  return { kind: 'ack' }
}

function readPong(frame: Frame): Report {
  const map = decodeMetadata(frame.meta, 'PONG')
  return {
    kind: 'pong',
    progress: countField(map, 'progress', 'PONG'),
    busy: flagField(map, 'busy', 'PONG'),
    stepMs: optionalCountField(map, 'stepMs', 'PONG'),
  }
}

function readLog(frame: Frame): Report {
  const map = decodeMetadata(frame.meta, 'LOG')
  return {
    kind: 'log',
    level: wordField(map, 'level', logLevels, 'LOG'),
    message: textField(map, 'message', 'LOG'),
    logger: textField(map, 'logger', 'LOG'),
  }
}

function readError(frame: Frame): Report {
  const map = decodeMetadata(frame.meta, 'ERROR')
  return {
    kind: 'error',
    code: textField(map, 'code', 'ERROR'),
    message: textField(map, 'message', 'ERROR'),
    retryable: flagField(map, 'retryable', 'ERROR'),
  }
}

function readCheckpointed(frame: Frame): Report {
  const map = decodeMetadata(frame.meta, 'CHECKPOINTED')
  return {
    kind: 'checkpointed',
    taskId: countField(map, 'task', 'CHECKPOINTED') as TaskId,
    step: countField(map, 'step', 'CHECKPOINTED'),
    saved: bytesField(map, 'saved', savedBytesMax, 'CHECKPOINTED'),
  }
}
