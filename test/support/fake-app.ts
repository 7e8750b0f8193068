/**
 * The use cases in memory, for tests of the schema and the doors: jobs do what a test makes them do. No scheduler, no store, no worker.
 */
import type { AllocationView } from '../../src/app/allocations.ts'
import type {
  App,
  DeviceView,
  JobOutput,
  ModelEvent,
  OpenSessionInput,
  QueueView,
  RegisterModelInput,
  SubmitJobInput,
  WorkerView,
} from '../../src/app/app.ts'
import type { DecisionText } from '../../src/app/decision-texts.ts'
import { Conflict, InvalidInput, NotFound, type Overloaded } from '../../src/app/errors.ts'
import type { ArtifactAddress } from '../../src/app/open-artifact.ts'
import type { Upload } from '../../src/app/upload.ts'
import { UploadRefused } from '../../src/app/upload-content.ts'
import type { Residency } from '../../src/scheduler/commands.ts'
import { type Decision, type DecisionFilter, isWanted } from '../../src/scheduler/explain/decisions.ts'
import type { Waiting } from '../../src/scheduler/explain/explain.ts'
import type {
  AllocationId,
  ComponentId,
  DeviceId,
  JobId,
  ResidencyId,
  SessionId,
  VersionId,
  WorkerId,
} from '../../src/scheduler/ids.ts'
import type {
  ArtifactId,
  ArtifactRecord,
  ComponentRecord,
  JobEvent,
  JobEventBody,
  JobRecord,
  JobState,
  ModelId,
  ModelRecord,
  SessionRecord,
  VersionRecord,
} from '../../src/store/records.ts'
import type { AllocationFilter, JobFilter, PageRequest } from '../../src/store/store.ts'
import { artifactRecord } from './artifacts.ts'
import { FakeTopic } from './fake-topic.ts'
import { queuedRecord } from './stored-jobs.ts'

type Change = { readonly event: JobEvent; readonly job: JobRecord }

export const textModel: ModelRecord = { id: 1 as ModelId, name: 'teller', task: 'generateText' }
export const vectorModel: ModelRecord = { id: 2 as ModelId, name: 'embedder', task: 'embedText' }

const epoch = Date.UTC(2026, 10, 23)

export class FakeApp implements App {
  readonly allJobs: JobRecord[] = []
  readonly allSessions: SessionRecord[] = []
  readonly allModels: ModelRecord[] = [textModel, vectorModel]
  readonly submitted: SubmitJobInput[] = []
  readonly outputs = new Map<JobId, JobOutput>()
  readonly events: JobEvent[] = []
  readonly eventTopic = new FakeTopic<JobEvent>()
  readonly changeTopic = new FakeTopic<Change>()
  readonly modelTopic = new FakeTopic<ModelEvent>()
  readonly decisionTopic = new FakeTopic<Decision>()
  readonly reads = { job: 0, model: 0, version: 0, session: 0, key: 0, count: 0, waiting: 0 }
  isReady = true
  /** Changes before this are deleted. */
  expired = 0
  /** No longer declared. */
  readonly lostDevices: DeviceView[] = []
  readonly artifacts: ArtifactRecord[] = [artifactRecord()]
  silent: string[] = []
  /** Answers the next mutations instead of doing anything. */
  refusal: Overloaded | null = null

  async submitJobs(inputs: readonly SubmitJobInput[], paths: 'single' | 'list') {
    if (this.refusal) return this.refusal
    const problems = inputs.flatMap((input, index) => {
      const prefix = paths === 'single' ? '' : `jobs.${index}.`
      const hasBadSession = typeof input.sessionId === 'object' && input.sessionId !== null
      return [
        ...(hasBadSession ? [{ path: `${prefix}sessionId`, message: 'is not the id of a session.' }] : []),
        ...(input.task.generateText?.prompt === ''
          ? [{ path: `${prefix}task.generateText.prompt`, message: 'is empty.' }]
          : []),
      ]
    })
    if (problems.length > 0) return new InvalidInput(problems)
    const unknown = inputs.find(({ model }) => !this.allModels.some(({ name }) => name === model))
    if (unknown) return new NotFound('Model', unknown.model)
    return inputs.map((input) => this.#newJob(input))
  }

  #newJob(input: SubmitJobInput): JobRecord {
    this.submitted.push(input)
    const known = this.allJobs.find(
      ({ idempotencyKey }) => idempotencyKey !== null && idempotencyKey === input.idempotencyKey,
    )
    if (known) return known
    const model = this.allModels.find(({ name }) => name === input.model) ?? textModel
    const [taskKind = 'program'] = Object.keys(input.task) as JobRecord['taskKind'][]
    const job: JobRecord = {
      ...queuedRecord(this.allJobs.length + 1),
      taskKind,
      modelId: model.id,
      versionId: Number(model.id) as VersionId,
      sessionId: typeof input.sessionId === 'number' ? input.sessionId : null,
      class: input.priorityClass ?? 'interactive',
      idempotencyKey: input.idempotencyKey ?? null,
      createdAt: epoch,
      deadlineAt: input.deadline ?? null,
    }
    this.allJobs.push(job)
    this.say(job, { kind: 'queued' }, 'QUEUED')
    return job
  }

  /** Appends to a job's log; `to` also changes its state. */
  say(job: JobRecord, body: JobEventBody, to: JobState | null = null): JobEvent {
    const isNew = body.kind === 'queued'
    const event: JobEvent = {
      sequence: this.events.length + 1,
      jobId: job.id,
      attempt: job.attempt,
      at: epoch + this.events.length,
      from: isNew ? null : job.state,
      to,
      body,
    }
    if (to) job.state = to
    this.events.push(event)
    this.eventTopic.publish(event)
    if (to) this.changeTopic.publish({ event, job })
    return event
  }

  /** Runs a text job to its end. */
  tell(job: JobRecord, words: readonly string[]): void {
    job.attempt = 1
    job.deviceId = 1 as DeviceId
    job.startedAt = epoch + 10
    this.say(job, { kind: 'started', deviceId: 1 as DeviceId }, 'RUNNING')
    let offset = 0
    for (const text of words) {
      this.say(job, { kind: 'text', item: 0, offset, text })
      offset += text.length
    }
    job.finishedAt = epoch + 110
    const text = words.join('')
    this.outputs.set(job.id, {
      kind: 'text',
      text,
      finishReason: 'STOP',
      promptTokens: 3,
      completionTokens: words.length,
    })
    this.say(job, { kind: 'succeeded' }, 'SUCCEEDED')
  }

  async cancelJob(id: JobId) {
    if (this.refusal) return this.refusal
    const job = this.#job(id)
    if (!job) return new NotFound('Job', id)
    if (job.state === 'SUCCEEDED') return new Conflict('It has already succeeded.')
    job.cancelRequestedAt = epoch
    return job
  }
  async pauseJob(id: JobId) {
    if (this.refusal) return this.refusal
    const job = this.#job(id)
    if (!job) return new NotFound('Job', id)
    if (job.finishedAt !== null) return new Conflict('It has ended.')
    job.pauseRequestedAt = epoch
    return job
  }
  async resumeJob(id: JobId) {
    const job = this.#job(id)
    if (!job) return new NotFound('Job', id)
    if (job.pauseRequestedAt === null) return new Conflict('It is not paused.')
    job.pauseRequestedAt = null
    return job
  }
  async retryJob(id: JobId) {
    const job = this.#job(id)
    if (!job) return new NotFound('Job', id)
    if (job.finishedAt === null) return new Conflict('It has not ended.')
    return { ...job, id: (this.allJobs.length + 1) as JobId, retryOf: id }
  }
  async openSession(input: OpenSessionInput) {
    if (input.weight <= 0) return new InvalidInput([{ path: 'weight', message: 'must be positive.' }])
    const session: SessionRecord = {
      id: (this.allSessions.length + 1) as SessionId,
      name: input.name ?? null,
      class: input.priorityClass,
      weight: input.weight,
      modelId: null,
      idleTimeoutSeconds: input.idleTimeoutSeconds,
      createdAt: epoch,
      lastUsedAt: epoch,
      closedAt: null,
    }
    this.allSessions.push(session)
    return session
  }
  async closeSession(id: SessionId) {
    const session = this.allSessions.find((known) => known.id === id)
    if (!session) return new NotFound('Session', id)
    session.closedAt = epoch
    return session
  }
  async registerModel({ path }: RegisterModelInput) {
    if (this.refusal) return this.refusal
    return { model: textModel, version: { ...versionOf(textModel.id), directory: path } }
  }
  async loadModel(name: string) {
    return (await this.model(name)) ?? new NotFound('Model', name)
  }
  async pinModel(name: string) {
    return (await this.model(name)) ?? new NotFound('Model', name)
  }
  prewarmModel({ model }: { readonly model: string }) {
    return { accepted: true, reason: `${model} is expected.` }
  }
  isPinned() {
    return true
  }
  async unloadModel(name: string) {
    return (await this.model(name)) ?? new NotFound('Model', name)
  }

  #job(id: JobId): JobRecord | null {
    return this.allJobs.find((job) => job.id === id) ?? null
  }
  async job(id: JobId) {
    this.reads.job++
    return this.#job(id)
  }
  async jobByKey(key: string) {
    this.reads.key++
    return this.allJobs.find(({ idempotencyKey }) => idempotencyKey === key) ?? null
  }
  async jobs(filter: JobFilter, page: PageRequest) {
    return newestFirst(
      this.allJobs.filter((job) => matches(job, filter)),
      page,
    )
  }
  async countJobs(filter: JobFilter) {
    this.reads.count++
    return this.allJobs.filter((job) => matches(job, filter)).length
  }
  async jobRequest(): Promise<unknown> {
    return { prompt: 'Once' }
  }
  async jobOutput(job: JobRecord) {
    return this.outputs.get(job.id) ?? null
  }
  waiting(job: JobRecord): Waiting | null {
    this.reads.waiting++
    if (job.state !== 'QUEUED') return null
    return { code: 'BEHIND_OTHERS', reason: 'Two jobs are ahead.', queuePosition: 3, estimatedStartAt: epoch + 1000 }
  }
  async jobEventPage(id: JobId, first: number, beforeSequence: number | null) {
    const older = this.events.filter(
      (event) => event.jobId === id && event.sequence < (beforeSequence ?? Number.MAX_SAFE_INTEGER),
    )
    return older.reverse().slice(0, first)
  }
  async countJobEvents(id: JobId) {
    return this.events.filter((event) => event.jobId === id).length
  }
  jobEvents(job: JobRecord, afterSequence: number | null) {
    const ofJob = (event: JobEvent) => event.jobId === job.id && event.sequence > (afterSequence ?? 0)
    const isLast = ({ body }: JobEvent) => ['succeeded', 'failed', 'cancelled'].includes(body.kind)
    const past = this.events.filter(ofJob)
    const hasEnded = this.events.some((event) => event.jobId === job.id && isLast(event))
    return hasEnded ? this.eventTopic.finished(past) : this.eventTopic.follow(past, ofJob, isLast)
  }
  jobChanges(filter: JobFilter) {
    return this.changeTopic.follow([], ({ job }) => matches(job, filter))
  }
  changesCursor() {
    return this.events.length
  }
  expiredSequence() {
    return this.expired
  }
  lastSequence() {
    return this.events.length
  }

  async model(name: string) {
    return this.allModels.find((model) => model.name === name) ?? null
  }
  async modelById(id: ModelId) {
    this.reads.model++
    return this.allModels.find((model) => model.id === id) ?? null
  }
  async models(_: object, page: PageRequest) {
    return newestFirst(this.allModels, page)
  }
  async countModels() {
    return this.allModels.length
  }
  async currentVersion(id: ModelId) {
    return versionOf(id)
  }
  async version(id: VersionId) {
    this.reads.version++
    return versionOf(Number(id) as ModelId)
  }
  async versions(modelId: ModelId, page: PageRequest) {
    return newestFirst([versionOf(modelId)], page)
  }
  async countVersions() {
    return 1
  }
  versionFacts() {
    return {
      signature: null,
      metadata: {},
      problem: null,
      verifiedBytes: null,
      defaults: { temperature: 0.2 },
      examplePrompts: ['Once upon a time'],
      peakBytes: 3000,
    }
  }
  async components(versionId: VersionId) {
    return [componentOf(versionId)]
  }
  async component(id: ComponentId) {
    return componentOf(Number(id) as VersionId)
  }
  residencies(filter: { readonly versionId?: VersionId; readonly deviceId?: DeviceId }) {
    return theResidencies.filter(({ versionId }) => filter.versionId === undefined || filter.versionId === versionId)
  }
  residency(id: ResidencyId) {
    return theResidencies.find(({ residencyId }) => residencyId === id) ?? null
  }
  openAllocations() {
    return [theAllocation]
  }
  async allocations({ jobId: wanted }: AllocationFilter, { beforeId }: PageRequest) {
    return [theAllocation].filter(({ jobId }) => beforeId === null && (wanted === undefined || wanted === jobId))
  }
  async countAllocations() {
    return 1
  }
  async decisions(filter: DecisionFilter, { first, beforeId }: PageRequest) {
    return theDecisions
      .filter((decision) => isWanted(filter, decision) && (beforeId === null || decision.sequence < beforeId))
      .slice(0, first)
  }
  async countDecisions(filter: DecisionFilter) {
    return theDecisions.filter((decision) => isWanted(filter, decision)).length
  }
  async decision(sequence: number) {
    return theDecisions.find((decision) => decision.sequence === sequence) ?? null
  }
  async decisionText({ reason, scores }: Decision): Promise<DecisionText> {
    const alternatives = scores.map(({ deviceId, versionId, parts }, place) => ({
      summary: `alternative ${place}`,
      chosen: place === 0,
      deviceId,
      versionId,
      score: parts[0] ?? null,
      parts: parts.map((value, index) => ({ name: `part ${index}`, value, unit: 'ms' })),
    }))
    return { reason: `Because of ${reason}.`, alternatives }
  }
  decisionStream(filter: DecisionFilter) {
    return this.decisionTopic.follow([], (decision) => isWanted(filter, decision))
  }
  async versionIds(model: string) {
    return model.startsWith('unknown') ? null : [1 as VersionId]
  }
  async allocation(id: AllocationId) {
    return id === theAllocation.allocationId ? theAllocation : null
  }
  modelEvents(modelId: ModelId | null) {
    return this.modelTopic.follow([], (event) => modelId === null || event.modelId === modelId)
  }

  async artifact(id: ArtifactId) {
    return this.artifacts.find((artifact) => artifact.id === id) ?? null
  }
  artifactUrl({ id }: ArtifactRecord) {
    return { url: `http://127.0.0.1/artifacts/${id}/artifact-${id}.bin`, expiresAt: epoch }
  }

  async openArtifact(_address: ArtifactAddress): ReturnType<App['openArtifact']> {
    return 'gone'
  }
  refuseUpload(_upload: Upload): ReturnType<App['refuseUpload']> {
    return this.refusal
  }
  async upload(_upload: Upload, _source: AsyncIterable<Uint8Array>): ReturnType<App['upload']> {
    return new UploadRefused('type', 'The fake takes no files.')
  }

  async session(id: SessionId) {
    this.reads.session++
    return this.allSessions.find((session) => session.id === id) ?? null
  }
  async sessions(_: object, page: PageRequest) {
    return newestFirst(this.allSessions, page)
  }
  async countSessions() {
    return this.allSessions.length
  }

  devices() {
    return [theDevice]
  }
  async deviceById(id: DeviceId) {
    if (id === theDevice.id) return theDevice
    return this.lostDevices.find((device) => device.id === id) ?? null
  }
  workers() {
    return [theWorker]
  }
  queue(): QueueView {
    const waiting = this.allJobs.filter(({ state }) => state === 'QUEUED')
    return {
      at: epoch,
      limit: 100_000,
      estimateError: { count: 3, medianMs: -5, p90AbsoluteMs: 40 },
      lanes: [
        {
          class: 'interactive',
          queued: waiting.length,
          running: 0,
          paused: 0,
          oldestQueuedMs: null,
          estimatedDrainMs: null,
        },
      ],
      models: [{ versionId: 1 as VersionId, queued: waiting.length, oldestQueuedMs: 5, estimatedStartAt: null }],
      next: (first) => waiting.slice(0, first).map(({ id }) => id),
    }
  }
  server() {
    return {
      version: '0.1.0',
      now: epoch,
      startedAt: epoch,
      ready: this.isReady,
      recoveredJobs: 0,
      policies: [],
      limits: [{ name: 'queue', value: '100000', description: 'Most jobs that may wait.' }],
      storage: { databaseBytes: 4096, walBytes: 0, artifactBytes: 0, freeBytes: 1e9 },
      validation: { hits: 17, misses: 3, savedMs: 0.25 },
      previews: { shown: 0, superseded: 0, dropped: 0 },
      history: { decisionsDropped: 0, allocationsDropped: 0 },
      tensorPool: {
        problem: null,
        limitBytes: 2 ** 28,
        sizeBytes: 2 ** 20,
        freeBytes: 0,
        grantedBytes: 2 ** 20,
        inUseBytes: 0,
        hits: 3,
        misses: 1,
        fallbacks: 0,
        refusals: 0,
        droppedTransfers: 0,
        copiedBytes: 2 ** 21,
        handedTensors: 4,
        handedBytes: 2 ** 16,
        handOverCopiedBytes: 0,
        gatheredBytes: 0,
      },
    }
  }
  ready() {
    return this.isReady
  }
  silentWorkers() {
    return this.silent
  }
}

function newestFirst<Row extends { readonly id: number }>(
  rows: readonly Row[],
  { first, beforeId }: PageRequest,
): Row[] {
  return rows
    .filter(({ id }) => beforeId === null || id < beforeId)
    .toSorted((one, other) => other.id - one.id)
    .slice(0, first)
}

function matches(job: JobRecord, filter: JobFilter): boolean {
  return (
    (filter.modelId === undefined || filter.modelId === job.modelId) &&
    (filter.sessionId === undefined || filter.sessionId === job.sessionId) &&
    (filter.taskKind === undefined || filter.taskKind === job.taskKind) &&
    (filter.states === undefined || filter.states.includes(job.state))
  )
}

function versionOf(modelId: ModelId): VersionRecord {
  return {
    id: Number(modelId) as VersionId,
    modelId,
    sha256: String(modelId).repeat(64),
    state: 'READY',
    license: 'Apache-2.0',
    manifest: '{}',
    directory: '/models',
    sizeBytes: 2000,
    peakBytes: 3000,
    registeredAt: epoch,
  }
}

function componentOf(versionId: VersionId): ComponentRecord {
  return {
    id: Number(versionId) as ComponentId,
    versionId,
    name: 'weights',
    format: 'gguf',
    sizeBytes: 2000,
    sha256: 'c'.repeat(64),
    dependsOn: [],
  }
}

const theDevice: DeviceView = {
  id: 1 as DeviceId,
  name: 'cpu',
  kind: 'CPU',
  vendor: null,
  state: 'HEALTHY',
  drain: 'NONE',
  source: 'CPU',
  memory: {
    totalBytes: 8e9,
    limitBytes: 6e9,
    reservedBytes: 0,
    allocatedBytes: 2000,
    availableBytes: 5e9,
    externalBytes: 0,
    fragmentation: 0,
  },
  capabilities: {
    coreCount: 2,
    precisions: ['float32'],
    architecture: 'x86_64',
    driverVersion: null,
    details: { avx2: true },
  },
}

const theAllocation: AllocationView = {
  allocationId: 1 as AllocationId,
  deviceId: 1 as DeviceId,
  purpose: 'paused_state',
  state: 'committed',
  predictedBytes: 4096,
  sizeBytes: 4096,
  measuredBytes: 4096,
  workerId: 1 as WorkerId,
  residencyId: 1 as ResidencyId,
  jobId: 1 as JobId,
  createdAt: epoch,
  releasedAt: null,
}

/** Newest first. */
const theDecisions: readonly Decision[] = [3, 2, 1].map((sequence) => ({
  sequence,
  at: epoch + sequence,
  kind: sequence === 3 ? 'EVICT' : 'LOAD',
  reason: sequence === 3 ? 'least_recently_used' : 'jobs_wait',
  jobId: sequence === 1 ? (1 as JobId) : null,
  versionId: 1 as VersionId,
  deviceId: 1 as DeviceId,
  workerId: null,
  forVersionId: null,
  amount: null,
  scheme: 'ect',
  scores: [{ deviceId: 1 as DeviceId, versionId: 1 as VersionId, parts: [sequence, 2] }],
}))

const theWorker: WorkerView = {
  id: 1 as WorkerId,
  deviceId: 1 as DeviceId,
  engine: 'llama_cpp',
  state: 'READY',
  pid: 4242,
  startedAt: epoch,
  restartCount: 0,
  requestsServed: 7,
  memoryBytes: null,
  runningJobIds: [],
}

const theResidencies: readonly Residency[] = [
  {
    residencyId: 1 as ResidencyId,
    versionId: 1 as VersionId,
    deviceId: 1 as DeviceId,
    workerId: 1 as WorkerId,
    state: 'resident',
    sizeBytes: 2000,
    loadedBytes: 2000,
    components: [0],
    loadedAt: epoch,
    lastUsedAt: null,
  },
]
