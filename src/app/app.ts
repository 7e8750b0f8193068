/**
 * The use cases of Hearth, as `schema/` and the doors see them. Everything that changes something answers when the intent is durable.
 * Expected failures are returned (`errors.ts`); a thrown error is a bug or a broken machine.
 */
import type { TensorPoolInfo } from '../runtime/memory/tensor-memory.ts'
import type { Signature, TensorPort } from '../runtime/models/signature.ts'
import type { Residency } from '../scheduler/commands.ts'
import type { PriorityClass } from '../scheduler/events.ts'
import type { Decision, DecisionFilter } from '../scheduler/explain/decisions.ts'
import type { Waiting } from '../scheduler/explain/explain.ts'
import type { QueueView as SchedulerQueueView } from '../scheduler/explain/queue-view.ts'
import type {
  AllocationId,
  ComponentId,
  DeviceId,
  JobId,
  Millis,
  ResidencyId,
  SessionId,
  VersionId,
  WorkerId,
} from '../scheduler/ids.ts'
import type {
  ArtifactId,
  ArtifactRecord,
  ComponentRecord,
  JobEvent,
  JobRecord,
  ModelId,
  ModelRecord,
  SessionRecord,
  VersionRecord,
} from '../store/records.ts'
import type { AllocationFilter, JobFilter, PageRequest } from '../store/store.ts'
import type { AllocationView } from './allocations.ts'
import type { SignedUrl } from './artifact-urls.ts'
import type { DecisionText } from './decision-texts.ts'
import type { Conflict, InvalidInput, ModelTooLarge, NotFound, Overloaded } from './errors.ts'
import type { HistoryFigures } from './history.ts'
import type { ArtifactAddress, OpenedArtifact } from './open-artifact.ts'
import type { PreviewFigures } from './previews.ts'
import type { Prewarming, PrewarmModelInput } from './prewarm-model.ts'
import type { EstimateError } from './start-estimates.ts'
import type { Upload } from './upload.ts'
import type { UploadRefused } from './upload-content.ts'
import type { ValidationFigures } from './validation/validation-cache.ts'

/** As in contract.graphql; `model` is `name` or `name@version`. */
export interface SubmitJobInput {
  /** `malformed`: what was given is no id of a session; it is told together with everything else that is wrong. */
  readonly sessionId?: SessionId | { readonly malformed: string } | null
  readonly model: string
  readonly task: TaskInput
  readonly priorityClass?: PriorityClass | null
  readonly idempotencyKey?: string | null
  readonly deadline?: Millis | null
  /** Of textToImage: how pictures look on their way, every so many steps, at most so wide. Null: none are made. */
  readonly previews?: PreviewInput | null
}
export interface PreviewInput {
  readonly everySteps: number
  /** Pixels. */
  readonly maxWidth: number
}
/** Exactly one field is set (GraphQL @oneOf). */
export interface TaskInput {
  readonly textToImage?: TextToImageInput
  readonly generateText?: GenerateTextInput
  readonly embedText?: { readonly texts: readonly string[] }
  readonly classifyImage?: { readonly image: ImageInput; readonly topK: number }
  readonly upscaleImage?: { readonly image: ImageInput; readonly factor: number }
  readonly infer?: { readonly tensors: readonly TensorInput[]; readonly outputs?: readonly string[] | null }
  readonly program?: {
    readonly name: string
    readonly parameters: unknown
    readonly artifactIds?: readonly ArtifactReference[] | null
  }
}
/** `malformed`: what was given is no id of an artifact. */
export type ArtifactReference = ArtifactId | { readonly malformed: string }
/** Exactly one field is set (GraphQL @oneOf). */
export interface ImageInput {
  readonly artifactId?: ArtifactReference | null
  /** `data:image/png;base64,...`, at most 64 KiB decoded. */
  readonly dataUrl?: string | null
}
/** Exactly one of `values` (nested or flat JSON lists) and `artifactId` (raw little-endian bytes, or a .npy file). */
export interface TensorInput {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly values?: unknown
  readonly artifactId?: ArtifactReference | null
}
/** What is left out comes from the model's manifest; a seed is drawn. */
export interface TextToImageInput {
  readonly prompt: string
  readonly negativePrompt?: string | null
  /** Pixels. */
  readonly width?: number | null
  readonly height?: number | null
  readonly steps?: number | null
  readonly guidance?: number | null
  /** Of the first picture; each further one has the next number. */
  readonly seed?: number | null
  readonly count: number
  /** 1 = none. */
  readonly upscale?: number | null
}
export interface GenerateTextInput {
  readonly prompt?: string | null
  readonly messages?: readonly { readonly role: 'SYSTEM' | 'USER' | 'ASSISTANT'; readonly content: string }[] | null
  readonly maxTokens?: number | null
  readonly temperature?: number | null
  readonly topP?: number | null
  readonly stop?: readonly string[] | null
  readonly seed?: number | null
}
export interface RegisterModelInput {
  readonly name?: string | null
  /** Absolute, or relative to a model folder. */
  readonly path: string
  readonly task?: string | null
  readonly expectedSha256?: string | null
}
export type TensorPortView = TensorPort
export interface RegisteredModel {
  readonly model: ModelRecord
  readonly version: VersionRecord
}
export interface OpenSessionInput {
  readonly name?: string | null
  readonly priorityClass: PriorityClass
  readonly weight: number
  readonly model?: string | null
  readonly idleTimeoutSeconds: number
}

/** What a succeeded job gave, or a cancelled one keeps. */
export type JobOutput =
  | { readonly kind: 'images'; readonly images: readonly GeneratedImage[] }
  | {
      readonly kind: 'text'
      readonly text: string
      readonly finishReason: 'STOP' | 'LENGTH' | 'CANCELLED'
      readonly promptTokens: number
      readonly completionTokens: number
    }
  | {
      readonly kind: 'embeddings'
      readonly count: number
      readonly dimensions: number
      /** Null where there are so many that they come as an artifact: float32, little endian, one row after the other. */
      readonly embeddings: readonly Float32Array[] | null
      readonly artifactId: ArtifactId | null
    }
  | { readonly kind: 'classification'; readonly labels: readonly { readonly label: string; readonly score: number }[] }
  | { readonly kind: 'tensors'; readonly tensors: readonly OutputTensorView[] }
  | { readonly kind: 'program'; readonly values: unknown; readonly artifactIds: readonly ArtifactId[] }
export interface GeneratedImage {
  /** Null: it is withheld, and no file of it was kept. */
  readonly artifactId: ArtifactId | null
  readonly withheld: boolean
  /** Of this picture; 0 for one that was not made from a prompt. */
  readonly seed: number
  /** Null: nobody has checked it. */
  readonly safety: SafetyVerdict | null
}
export interface SafetyVerdict {
  readonly safe: boolean
  /** 0 = harmless, 1 = certainly not. */
  readonly score: number
  /** Name of the model that says so. */
  readonly checkedBy: string
}
/** Exactly one of `values` and `artifactId` is set. */
export interface OutputTensorView {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  /** Nested lists; int64 beyond 2^53, NaN and infinities as texts. */
  readonly values: unknown
  readonly artifactId: ArtifactId | null
}

export interface DeviceView {
  readonly id: DeviceId
  readonly name: string
  readonly kind: 'CPU' | 'GPU' | 'NPU'
  readonly vendor: string | null
  readonly state: 'HEALTHY' | 'SUSPECT' | 'LOST'
  readonly drain: 'NONE' | 'DRAINING' | 'DRAINED'
  readonly source: 'CPU' | 'NVIDIA' | 'REPLAY'
  readonly memory: {
    readonly totalBytes: number
    readonly limitBytes: number
    readonly reservedBytes: number
    readonly allocatedBytes: number
    readonly availableBytes: number
    readonly externalBytes: number
    readonly fragmentation: number
  }
  readonly capabilities: {
    readonly coreCount: number | null
    readonly precisions: readonly string[]
    readonly architecture: string | null
    readonly driverVersion: string | null
    readonly details: unknown
  }
}
export interface WorkerView {
  readonly id: WorkerId
  readonly deviceId: DeviceId
  readonly engine: string
  readonly state: 'STARTING' | 'READY' | 'BUSY' | 'HUNG' | 'STOPPING' | 'DEAD'
  readonly pid: number | null
  readonly startedAt: Millis
  readonly restartCount: number
  readonly requestsServed: number
  readonly memoryBytes: number | null
  readonly runningJobIds: readonly JobId[]
}
export interface QueueView extends SchedulerQueueView {
  /** Null: nobody who asked about a waiting job has seen it start yet. */
  readonly estimateError: EstimateError | null
}
export type ModelEvent =
  | { readonly type: 'ModelRegistered'; readonly at: Millis; readonly modelId: ModelId; readonly versionId: VersionId }
  | {
      readonly type: 'ResidencyChanged'
      readonly at: Millis
      readonly modelId: ModelId
      readonly residency: Residency
      readonly decision: Decision | null
    }
  | {
      readonly type: 'ResidencyEnded'
      readonly at: Millis
      readonly modelId: ModelId
      readonly residencyId: ResidencyId
      readonly decision: Decision | null
    }
  | {
      readonly type: 'ModelLoadFailed'
      readonly at: Millis
      readonly modelId: ModelId
      readonly versionId: VersionId
      readonly failure: { readonly code: string; readonly message: string; readonly retryable: boolean }
    }

export interface ModelFilter {
  readonly name?: string
  readonly task?: string
  /** Resident there. */
  readonly deviceId?: DeviceId
  /** Somebody wants it to stay, somewhere. */
  readonly pinned?: boolean
}

export interface App {
  submitJobs(
    inputs: readonly SubmitJobInput[],
    paths: 'single' | 'list',
  ): Promise<readonly JobRecord[] | InvalidInput | NotFound | Conflict | Overloaded | ModelTooLarge>
  cancelJob(id: JobId): Promise<JobRecord | NotFound | Conflict | Overloaded>
  /** Takes effect at the next step; pausing what is paused succeeds. */
  pauseJob(id: JobId): Promise<JobRecord | NotFound | Conflict | Overloaded>
  /** Of a job that is paused, or was asked to be. */
  resumeJob(id: JobId): Promise<JobRecord | NotFound | Conflict | Overloaded>
  retryJob(id: JobId): Promise<JobRecord | NotFound | Conflict | Overloaded>
  openSession(input: OpenSessionInput): Promise<SessionRecord | InvalidInput | NotFound | Overloaded>
  closeSession(id: SessionId): Promise<SessionRecord | NotFound | Overloaded>
  registerModel(input: RegisterModelInput): Promise<RegisteredModel | InvalidInput | NotFound | Conflict | Overloaded>
  loadModel(
    model: string,
    deviceId: DeviceId | null,
    component: string | null,
  ): Promise<ModelRecord | InvalidInput | NotFound | Conflict | Overloaded | ModelTooLarge>
  /** Loaded and never evicted until it is unpinned. `deviceId` null: on any device; unpinned everywhere. */
  pinModel(
    model: string,
    deviceId: DeviceId | null,
    pinned: boolean,
  ): Promise<ModelRecord | NotFound | Conflict | Overloaded | ModelTooLarge>
  prewarmModel(input: PrewarmModelInput): Prewarming | InvalidInput | NotFound | Overloaded
  unloadModel(model: string, deviceId: DeviceId | null): Promise<ModelRecord | NotFound | Conflict | Overloaded>

  /** As it is now: from memory while it lives, else from the store. */
  job(id: JobId): Promise<JobRecord | null>
  /** Also finds a job whose submission is still being written. */
  jobByKey(key: string): Promise<JobRecord | null>
  jobs(filter: JobFilter, page: PageRequest): Promise<readonly JobRecord[]>
  countJobs(filter: JobFilter): Promise<number>
  /** Parsed request, with defaults; null when retention removed it. */
  jobRequest(id: JobId): Promise<unknown>
  jobOutput(job: JobRecord): Promise<JobOutput | null>
  /** Null once it runs or has ended. */
  waiting(job: JobRecord): Waiting | null
  jobEventPage(id: JobId, first: number, beforeSequence: number | null): Promise<readonly JobEvent[]>
  countJobEvents(id: JobId): Promise<number>
  /** The log after a cursor, then live; ends after the final event. */
  jobEvents(job: JobRecord, afterSequence: number | null): AsyncIterableIterator<JobEvent>
  /** `states` matches from or to. */
  jobChanges(
    filter: JobFilter,
    afterSequence: number | null,
  ): AsyncIterableIterator<{ readonly event: JobEvent; readonly job: JobRecord }>
  /** Taken before a page is read, there is no gap between page and stream. */
  changesCursor(): number
  /** The greatest sequence given out so far; a cursor beyond it is unknown. */
  lastSequence(): number
  /** A cursor over the changes of all jobs that lies before this has expired: retention has deleted what came after it. */
  expiredSequence(): number

  model(name: string): Promise<ModelRecord | null>
  modelById(id: ModelId): Promise<ModelRecord | null>
  models(filter: ModelFilter, page: PageRequest): Promise<readonly ModelRecord[]>
  countModels(filter: ModelFilter): Promise<number>
  currentVersion(id: ModelId): Promise<VersionRecord>
  version(id: VersionId): Promise<VersionRecord | null>
  versions(modelId: ModelId, page: PageRequest): Promise<readonly VersionRecord[]>
  countVersions(modelId: ModelId): Promise<number>
  /** What manifest and headers of a version say, planned bytes, and how it stands. */
  versionFacts(version: VersionRecord): {
    readonly signature: Signature | null
    readonly metadata: unknown
    /** Why it was refused or is gone; null when neither is so, or nobody knows any more. */
    readonly problem: string | null
    /** Of `sizeBytes`, while its files are being read; null at other times. */
    readonly verifiedBytes: number | null
    readonly defaults: unknown
    readonly examplePrompts: readonly string[]
    readonly peakBytes: number
  }
  components(versionId: VersionId): Promise<readonly ComponentRecord[]>
  component(id: ComponentId): Promise<ComponentRecord | null>
  residencies(filter: { readonly versionId?: VersionId; readonly deviceId?: DeviceId }): readonly Residency[]
  residency(id: ResidencyId): Residency | null
  /** It is not evicted. */
  isPinned(id: ResidencyId): boolean
  /** Those that are open now, oldest first. */
  openAllocations(filter: AllocationFilter): readonly AllocationView[]
  /** With those that are closed, as far as they are kept; newest first. `beforeId` is an AllocationId. */
  allocations(filter: AllocationFilter, page: PageRequest): Promise<readonly AllocationView[]>
  countAllocations(filter: AllocationFilter): Promise<number>
  allocation(id: AllocationId): Promise<AllocationView | null>
  /** Newest first, as far as they are kept. `beforeId` is the number of a decision. */
  decisions(filter: DecisionFilter, page: PageRequest): Promise<readonly Decision[]>
  countDecisions(filter: DecisionFilter): Promise<number>
  decision(sequence: number): Promise<Decision | null>
  decisionText(decision: Decision): Promise<DecisionText>
  /** Those to come; a slow reader skips. */
  decisionStream(filter: DecisionFilter): AsyncIterableIterator<Decision>
  /** All versions that a model has had, or the one that `name@version` names; null for what nobody knows. */
  versionIds(model: string): Promise<readonly VersionId[] | null>
  modelEvents(modelId: ModelId | null): AsyncIterableIterator<ModelEvent>

  /** An output is null before its job has ended, a preview before its event is written; either when it has been removed. */
  artifact(id: ArtifactId): Promise<ArtifactRecord | null>
  artifactUrl(artifact: ArtifactRecord): SignedUrl
  /** Whoever is given a file closes it. */
  openArtifact(address: ArtifactAddress): Promise<OpenedArtifact | 'wrong' | 'expired' | 'gone'>
  /** What is known to be refused before its body is read. */
  refuseUpload(upload: Upload): UploadRefused | Overloaded | null
  /** Rejects with what `source` fails with. After that, and after every refusal, nothing is left. */
  upload(upload: Upload, source: AsyncIterable<Uint8Array>): Promise<ArtifactRecord | UploadRefused | Overloaded>

  session(id: SessionId): Promise<SessionRecord | null>
  sessions(
    filter: { readonly states?: readonly ('OPEN' | 'CLOSED')[]; readonly class?: PriorityClass },
    page: PageRequest,
  ): Promise<readonly SessionRecord[]>
  countSessions(filter: {
    readonly states?: readonly ('OPEN' | 'CLOSED')[]
    readonly class?: PriorityClass
  }): Promise<number>

  devices(): readonly DeviceView[]
  /** One that was declared once and is no longer is LOST. */
  deviceById(id: DeviceId): Promise<DeviceView | null>
  workers(): readonly WorkerView[]
  queue(): QueueView
  server(): {
    readonly version: string
    readonly now: Millis
    readonly startedAt: Millis
    readonly ready: boolean
    readonly recoveredJobs: number
    readonly policies: readonly NamedSetting[]
    readonly limits: readonly NamedSetting[]
    readonly storage: {
      readonly databaseBytes: number
      readonly walBytes: number
      readonly artifactBytes: number
      readonly freeBytes: number
    }
    readonly tensorPool: TensorPoolInfo
    readonly validation: ValidationFigures
    readonly previews: PreviewFigures
    readonly history: HistoryFigures
  }
  /** Durable and accepting. */
  ready(): boolean
  /** Workers that do not answer, by name, for /healthz. */
  silentWorkers(): readonly string[]
}
export interface NamedSetting {
  readonly name: string
  readonly value: string
  readonly description: string
}
