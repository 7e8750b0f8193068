/** Entries of STEPS: what became of tasks since the last report. */
import type { TaskFailureCode } from '../../scheduler/events.ts'
import type { TaskId } from '../../scheduler/ids.ts'
import type { FramePayload } from './frame-payload.ts'
import {
  asMap,
  bytesField,
  countField,
  flagField,
  type Metadata,
  mapField,
  optionalCountField,
  textField,
  wordField,
} from './metadata.ts'
import { type LargeTensors, materializeOutput, type ProgramOutput } from './tensors.ts'

export type StepUnit = 'steps' | 'tokens' | 'items'

/** A preview is shown to whoever asks: what a browser would run is none. */
export type PreviewType = 'image/png' | 'image/webp' | 'image/jpeg'

/** After `done`, `failed`, `cancelled` or `withdrawn` the worker knows nothing of the task any more. */
export type StepEntry =
  | { readonly kind: 'started'; readonly taskId: TaskId }
  | {
      readonly kind: 'step'
      readonly taskId: TaskId
      readonly done: number
      readonly total: number | null
      readonly unit: StepUnit
    }
  | { readonly kind: 'text'; readonly taskId: TaskId; readonly item: number; readonly text: string }
  /** `heldBytes`: of an output that stays in the worker; 0 for others. */
  | {
      readonly kind: 'done'
      readonly taskId: TaskId
      readonly output: ProgramOutput
      readonly stepsRun: number
      readonly heldBytes: number
    }
  /** How a picture looks after so many steps; the newest wins. */
  | {
      readonly kind: 'preview'
      readonly taskId: TaskId
      readonly step: number
      readonly mimeType: PreviewType
      readonly picture: Uint8Array
    }
  | {
      readonly kind: 'failed'
      readonly taskId: TaskId
      readonly code: TaskFailureCode
      readonly message: string
      readonly retryable: boolean
    }
  /** `output`: what a cancelled job keeps (text so far). */
  | {
      readonly kind: 'cancelled'
      readonly taskId: TaskId
      readonly output: ProgramOutput | null
      readonly stepsRun: number
    }
  | { readonly kind: 'withdrawn'; readonly taskId: TaskId }
  | { readonly kind: 'paused'; readonly taskId: TaskId; readonly stateBytes: number }

export const failureCodes: readonly TaskFailureCode[] = [
  'out_of_memory',
  'engine_error',
  'deadline_exceeded',
  'invalid_request',
  'stale_model',
  'artifact_missing',
  'input_missing',
]
const kinds = ['done', 'started', 'step', 'text', 'preview', 'failed', 'cancelled', 'withdrawn', 'paused'] as const
const units: readonly StepUnit[] = ['steps', 'tokens', 'items']
const previewTypes: readonly PreviewType[] = ['image/png', 'image/webp', 'image/jpeg']
const previewBytesMax = 512 * 1024

/** Throws ProtocolError. Outputs are copied out of `payload`; the regions of `large` that they hold belong to the caller. */
export function readStepEntry(value: unknown, payload: FramePayload, large: LargeTensors): StepEntry {
  const map = asMap(value, 'An entry of STEPS')
  const kind = wordField(map, 'kind', kinds, 'an entry of STEPS')
  const taskId = countField(map, 'task', kind) as TaskId
  switch (kind) {
    case 'started':
    case 'withdrawn':
      return { kind, taskId }
    case 'step':
      return {
        kind,
        taskId,
        done: countField(map, 'done', kind),
        total: optionalCountField(map, 'total', kind),
        unit: wordField(map, 'unit', units, kind),
      }
    case 'text':
      return { kind, taskId, item: countField(map, 'item', kind), text: textField(map, 'text', kind) }
    case 'done':
      return {
        kind,
        taskId,
        output: materializeOutput(mapField(map, 'output', kind), payload, large),
        stepsRun: countField(map, 'stepsRun', kind),
        heldBytes: optionalCountField(map, 'heldBytes', kind) ?? 0,
      }
    case 'preview':
      return {
        kind,
        taskId,
        step: countField(map, 'step', kind),
        mimeType: wordField(map, 'mimeType', previewTypes, kind),
        picture: bytesField(map, 'picture', previewBytesMax, kind),
      }
    case 'failed':
      return {
        kind,
        taskId,
        code: wordField(map, 'code', failureCodes, kind),
        message: textField(map, 'message', kind),
        retryable: flagField(map, 'retryable', kind),
      }
    case 'cancelled':
      return { kind, taskId, output: keptOutput(map, payload, large), stepsRun: countField(map, 'stepsRun', kind) }
    case 'paused':
      return { kind, taskId, stateBytes: countField(map, 'stateBytes', kind) }
    default:
      return kind satisfies never
  }
}

function keptOutput(map: Metadata, payload: FramePayload, large: LargeTensors): ProgramOutput | null {
  return map['output'] === undefined || map['output'] === null
    ? null
    : materializeOutput(mapField(map, 'output', 'cancelled'), payload, large)
}
