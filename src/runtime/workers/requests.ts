/** What the server says to a worker (PROTOCOL.md section 4, types 1 to 63), as metadata bytes. */
import type { NodeLimit } from '../../scheduler/commands.ts'
import type { PriorityClass, TaskStage } from '../../scheduler/events.ts'
import type { TaskId, VersionId } from '../../scheduler/ids.ts'
import type { FileIdentity } from '../models/file-identity.ts'
import type { SlabName } from './large-tensor-reports.ts'
import { encode } from './message-pack.ts'

export const requestType = {
  load: 1,
  unload: 2,
  admit: 3,
  withdraw: 4,
  cancel: 5,
  policy: 6,
  credit: 7,
  ping: 8,
  stats: 9,
  shutdown: 10,
  lease: 11,
  revoke: 12,
  pause: 13,
  resume: 14,
  checkpoint: 15,
  restore: 16,
  slabGrant: 17,
  slabReturn: 18,
  slabRecall: 19,
  release: 20,
} as const

/** Those that are asked of tasks, and may be asked of many in one frame. */
export type TaskRequest =
  | 'admit'
  | 'withdraw'
  | 'cancel'
  | 'credit'
  | 'pause'
  | 'resume'
  | 'checkpoint'
  | 'restore'
  | 'release'

/** A file as it was when its content was verified. */
export interface VerifiedFile extends FileIdentity {
  /** Absolute. */
  readonly path: string
}

export interface LoadRequest {
  readonly versionId: VersionId
  /** The model.json as a map. */
  readonly manifest: unknown
  /** Absolute path of the model's folder. */
  readonly directory: string
  /** Names of the components to load. */
  readonly components: readonly string[]
  /** What the model is made of, as it was verified; the worker watches that these stay as they are. None = nothing is watched. */
  readonly files?: readonly VerifiedFile[]
  /** How long it may compute without getting on before the worker counts as hung; null or left out = nobody knows. */
  readonly loadMsMax?: number | null
}

export interface StepPolicy {
  readonly versionId: VersionId
  readonly batchLimit: number
  readonly holdMs: number
  readonly interactiveFirst: boolean
  readonly interruptAfterMs: number
  /** A checkpoint every so many steps; 0 = never. */
  readonly checkpointSteps: number
  /** Share of time that inference gets at least while postprocessing has work too, 0 to 1. */
  readonly inferenceShare: number
  /** What is known better of some nodes; empty = nothing. */
  readonly limits?: readonly NodeLimit[]
}

export interface AdmittedTask {
  readonly taskId: TaskId
  readonly versionId: VersionId
  readonly program: string
  readonly components: readonly string[]
  /** The program's own map, validated and normalised; numbers, texts, flags, null, bytes, lists and maps. */
  readonly request: unknown
  readonly class: PriorityClass
  readonly order: number
  readonly attempt: number
  /** From now; null = none. */
  readonly deadlineMs: number | null
  /** How long a step of it may compute before its worker counts as hung; null = nobody knows. */
  readonly stepMsMax?: number | null
  /** Partial items that it may emit before more credit arrives. */
  readonly credit: number
  readonly stage: TaskStage
  /** Its output stays in the worker until RELEASE. */
  readonly isHeld: boolean
  /** Earlier tasks whose held outputs it takes, by the name of their node. */
  readonly inputs: Readonly<Record<string, TaskId>>
  /** It goes on from here (RESTORE); null = from its beginning (ADMIT). */
  readonly saved: Uint8Array | null
}

export function loadMeta(load: LoadRequest): Buffer {
  return encode({
    model: load.versionId,
    manifest: load.manifest,
    directory: load.directory,
    components: load.components,
    ...(load.files ? { files: load.files.map(fileMeta) } : {}),
  })
}

/** Field by field: what is known of a file beyond its identity is nothing to the worker. */
function fileMeta({ path, device, inode, sizeBytes, modifiedNs, changedNs }: VerifiedFile): VerifiedFile {
  return { path, device, inode, sizeBytes, modifiedNs, changedNs }
}

export function unloadMeta(versionId: VersionId): Buffer {
  return encode({ model: versionId })
}

export function policyMeta(policy: StepPolicy): Buffer {
  return encode({
    model: policy.versionId,
    batchLimit: policy.batchLimit,
    holdMs: policy.holdMs,
    interactiveFirst: policy.interactiveFirst,
    interruptAfterMs: policy.interruptAfterMs,
    checkpointSteps: policy.checkpointSteps,
    inferenceShare: policy.inferenceShare,
    ...(policy.limits?.length ? { limits: policy.limits.map(nodeLimitMeta) } : {}),
  })
}

/** Field by field: what is unknown is left out. */
function nodeLimitMeta(known: NodeLimit): object {
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== null))
}

/** One `Task`, to be joined with others in an ADMIT or RESTORE; what is as the protocol takes it to be is left out. */
export function taskBytes(task: AdmittedTask): Buffer {
  const { taskId, versionId, deadlineMs, program, components, request, order, credit, attempt } = task
  return encode({
    task: taskId,
    model: versionId,
    program,
    components,
    request,
    class: task.class,
    order,
    credit,
    attempt,
    ...(deadlineMs === null ? {} : { deadlineMs }),
    ...(task.stage === 'inference' ? {} : { stage: task.stage }),
    ...(task.isHeld ? { hold: true } : {}),
    ...(Object.keys(task.inputs).length === 0 ? {} : { inputs: task.inputs }),
    ...(task.saved === null ? {} : { saved: task.saved }),
  })
}

export interface GrantedSlab extends SlabName {
  readonly path: string
  readonly sizeBytes: number
}
/** There are no slabs of so many bytes or more for now; the worker asks no sooner than after the pause. */
export interface SlabRefusal {
  readonly sizeBytes: number
  readonly pauseMs: number
}

export function slabGrantMeta(slabs: readonly GrantedSlab[], refused: SlabRefusal | null): Buffer {
  const granted = slabs.map(({ slabId, generation, path, sizeBytes }) => ({ slabId, generation, path, sizeBytes }))
  return encode(refused === null ? { slabs: granted } : { slabs: granted, refused })
}

/** The metadata of SLAB_RETURN and SLAB_RECALL. */
export function slabNamesMeta(slabs: readonly SlabName[]): Buffer {
  return encode({ slabs: slabs.map(({ slabId, generation }) => ({ slabId, generation })) })
}

/** One entry of CREDIT. */
export function creditBytes(taskId: TaskId, items: number): Buffer {
  return encode({ task: taskId, items })
}

export const emptyMeta = encode({})
/** The start of `{tasks: [...]}`, the metadata of all that is asked of tasks. */
export const tasksMetaStart = Buffer.concat([Buffer.from([0x81, 0xa5]), Buffer.from('tasks', 'latin1')])
