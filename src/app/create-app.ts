/** The App of `app.ts`, put together from the use cases and what they work with. */

import type { TensorMemory } from '../runtime/memory/tensor-memory.ts'
import { defaultWorkerLimits } from '../runtime/workers/worker-limits.ts'
import type { WorkerPool } from '../runtime/workers/worker-pool.ts'
import { explainWait, type Waiting } from '../scheduler/explain/explain.ts'
import { queueView } from '../scheduler/explain/queue-view.ts'
import type { JobId } from '../scheduler/ids.ts'
import { isPinned } from '../scheduler/pins/pins.ts'
import { isTerminal, type JobRecord, type VersionRecord } from '../store/records.ts'
import type { JobFilter } from '../store/store.ts'
import type { Allocations } from './allocations.ts'
import type { App, JobOutput, ModelFilter } from './app.ts'
import { cancelJob } from './cancel-job.ts'
import type { CatalogueEntry } from './catalogue.ts'
import type { AppContext } from './context.ts'
import { decisionText } from './decision-texts.ts'
import type { Decisions } from './decisions.ts'
import { type DeviceViews, lostDevice } from './device-views.ts'
import type { EngineTrouble } from './engine-trouble.ts'
import type { HistoryKeeper } from './history.ts'
import { matchesFilter } from './job-filter.ts'
import { loadModel, unloadModel } from './load-model.ts'
import type { ModelEvents } from './model-events.ts'
import { openArtifact } from './open-artifact.ts'
import { decodeOutput } from './outputs/stored-output.ts'
import { pauseJob, resumeJob } from './pause-job.ts'
import { pinModel } from './pin-model.ts'
import type { Previews } from './previews.ts'
import { prewarmModel } from './prewarm-model.ts'
import { registerModel } from './register-model.ts'
import { retryJob } from './retry-job.ts'
import { serverFacts } from './server-facts.ts'
import { closeSession, openSession } from './sessions.ts'
import type { StartEstimates } from './start-estimates.ts'
import { submitJobs } from './submit-jobs.ts'
import type { TaskResults } from './task-results.ts'
import { refuseUpload, takeUpload } from './upload.ts'
import { versionIds } from './version-ids.ts'
import { workerViews } from './worker-views.ts'

export interface AppParts {
  readonly context: AppContext
  readonly devices: DeviceViews
  readonly models: ModelEvents
  readonly allocations: Allocations
  readonly decisions: Decisions
  readonly history: HistoryKeeper
  readonly estimates: StartEstimates
  readonly trouble: EngineTrouble
  readonly pool: WorkerPool
  readonly memory: TensorMemory
  readonly results: TaskResults
  readonly previews: Previews
  readonly recoveredJobs: number
  readonly startedAt: number
}

/** A worker that has let two pings go unanswered does not keep up, whatever keeps it. */
const silentMsMin = 2 * defaultWorkerLimits.pingIntervalMs

export function createApp(parts: AppParts): App {
  const { context, devices, models, trouble, pool, results } = parts
  const { store, live, log, catalogue, shell, clock } = context
  const job = async (id: JobId): Promise<JobRecord | null> => live.record(id) ?? (await store.readJob(id))
  const fresh = (record: JobRecord): JobRecord => live.record(record.id) ?? record

  return {
    submitJobs: (inputs, paths) => submitJobs(context, inputs, paths),
    cancelJob: (id) => cancelJob(context, id),
    pauseJob: (id) => pauseJob(context, id),
    resumeJob: (id) => resumeJob(context, id),
    retryJob: (id) => retryJob(context, id),
    openSession: (input) => openSession(context, input),
    closeSession: (id) => closeSession(context, id),
    registerModel: (input) => registerModel(context, input),
    loadModel: (model, deviceId, component) => loadModel(context, model, deviceId, component),
    pinModel: (model, deviceId, pinned) => pinModel(context, model, deviceId, pinned),
    prewarmModel: (input) => prewarmModel(context, input),
    unloadModel: (model, deviceId) => unloadModel(context, model, deviceId),

    job,
    jobByKey: async (key) => (await live.byKey(key)) ?? (await store.readJobByKey(key)),
    jobs: async (filter, page) => (await store.readJobs(filter, page)).map(fresh),
    countJobs: (filter) => store.countJobs(filter),
    jobRequest: async (id) => {
      const text = live.get(id)?.request ?? (await store.readRequest(id))
      const request: unknown = text === null ? null : JSON.parse(text)
      return request
    },
    jobOutput: async (record): Promise<JobOutput | null> => {
      if (!isTerminal(record.state)) return null
      const bytes = results.encoded(record.id) ?? (await store.readOutput(record.id))
      return bytes === null ? null : decodeOutput(bytes)
    },
    waiting: (record) => explain(record),
    jobEventPage: (id, first, before) => store.readEventPage(id, first, before),
    countJobEvents: (id) => store.countEvents(id),
    jobEvents: (record, after) => log.events(record.id, after),
    jobChanges: (filter, after) => changesWithJobs(log.changes(after), filter, job),
    changesCursor: () => log.committedSequence(),
    lastSequence: () => log.lastSequence(),
    expiredSequence: () => store.deletedSequence(),

    model: (name) => Promise.resolve(catalogue.resolve(name)?.model ?? null),
    modelById: async (id) => catalogue.model(id)?.model ?? (await store.readModel(id)),
    models: async (filter, { first, beforeId }) =>
      modelEntries(filter)
        .filter(({ model }) => beforeId === null || model.id < beforeId)
        .slice(0, first)
        .map(({ model }) => model),
    countModels: async (filter) => modelEntries(filter).length,
    currentVersion: async (id) => {
      const current = catalogue.model(id)?.version ?? (await store.readVersions(id, { first: 1, beforeId: null }))[0]
      if (!current) throw new Error(`Model ${id} has no version.`)
      return current
    },
    version: async (id) => catalogue.version(id)?.version ?? asRemoved(await store.readVersion(id)),
    versions: async (modelId, page) =>
      (await store.readVersions(modelId, page)).map(
        (row) => catalogue.version(row.id)?.version ?? { ...row, state: 'REMOVED' },
      ),
    countVersions: (modelId) => store.countVersions(modelId),
    versionFacts: (version) => {
      const entry = catalogue.version(version.id)
      const manifest = entry?.manifest ?? JSON.parse(version.manifest)
      const { signature = null, metadata = {} } = entry ?? manifest.readFromHeaders ?? {}
      return {
        signature,
        metadata,
        problem: entry ? entry.problem : 'Its files were gone, or others, when the server started.',
        verifiedBytes: entry?.version.state === 'VERIFYING' ? Math.min(entry.verified.bytes, version.sizeBytes) : null,
        defaults: manifest.defaults ?? {},
        examplePrompts: manifest.examplePrompts ?? [],
        peakBytes: version.peakBytes,
      }
    },
    components: async (versionId) =>
      catalogue.version(versionId)?.components ?? (await store.readComponents(versionId)),
    component: (id) => store.readComponent(id),
    residencies: (filter) => models.residencies(filter),
    residency: (id) => models.residency(id),
    isPinned: (id) => {
      const residency = shell.state.residencies.get(id)
      return residency !== undefined && isPinned(residency)
    },
    openAllocations: (filter) => parts.allocations.open(filter),
    allocations: (filter, page) => parts.allocations.page(filter, page),
    countAllocations: (filter) => parts.allocations.count(filter),
    allocation: (id) => parts.allocations.find(id),
    decisions: (filter, page) => parts.decisions.page(filter, page),
    countDecisions: (filter) => parts.decisions.count(filter),
    decision: (sequence) => parts.decisions.find(sequence),
    decisionText: (decision) => decisionText(context, decision),
    decisionStream: (filter) => parts.decisions.read(filter),
    versionIds: (reference) => versionIds(catalogue, store, reference),
    modelEvents: (modelId) => models.read(modelId),

    artifact: (id) => context.artifacts.find(id),
    artifactUrl: (artifact) => context.artifacts.urlOf(artifact, clock.now()),
    openArtifact: (address) => openArtifact(context, address),
    refuseUpload: (upload) => refuseUpload(context, upload),
    upload: (upload, source) => takeUpload(context, upload, source),

    session: async (id) => context.sessions.get(id) ?? (await store.readSession(id)),
    sessions: async (filter, page) =>
      (await store.readSessions(filter, page)).map((session) => context.sessions.get(session.id) ?? session),
    countSessions: (filter) => store.countSessions(filter),

    devices: () => devices.all(),
    deviceById: async (id) => {
      const declared = devices.all().find((device) => device.id === id)
      if (declared) return declared
      const record = await store.readDevice(id)
      return record && lostDevice(record)
    },
    workers: () => workerViews(pool, shell.state),
    queue: () => ({
      ...queueView(shell.state, clock.now(), context.config.HEARTH_QUEUE_LIMIT),
      estimateError: parts.estimates.error(),
    }),
    server: () => serverFacts(parts),
    ready: () => !shell.draining && store.metrics.accepting && context.artifacts.trouble === null,
    silentWorkers: () =>
      pool
        .describe()
        .filter(({ state, silentMs }) => state === 'HUNG' || silentMs > silentMsMin)
        .map(({ workerId, engine }) => `${engine} worker ${workerId}`),
  }

  function explain(record: JobRecord): Waiting | null {
    const waiting = explainWait(shell.state, record.id, clock.now())
    if (waiting?.estimatedStartAt != null) parts.estimates.told(record.id, waiting.estimatedStartAt)
    const engine = catalogue.version(record.versionId)?.manifest.engine
    const words = waiting?.code === 'NO_DEVICE' && engine !== undefined ? trouble.words(engine) : null
    return waiting && words ? { ...waiting, reason: `${waiting.reason} It said: ${words}` } : waiting
  }

  function modelEntries({ name, task, deviceId, pinned }: ModelFilter): CatalogueEntry[] {
    const onDevice = (entry: CatalogueEntry) =>
      models.residencies({ versionId: entry.version.id }).some((residency) => residency.deviceId === deviceId)
    const isPinnedSomewhere = ({ version }: CatalogueEntry) =>
      (shell.state.versions.get(version.id)?.pins.length ?? 0) > 0
    const matches = (entry: CatalogueEntry) =>
      (name === undefined || entry.model.name === name) &&
      (task === undefined || entry.model.task === task) &&
      (deviceId === undefined || onDevice(entry)) &&
      (pinned === undefined || pinned === isPinnedSomewhere(entry))
    return catalogue
      .current()
      .filter(matches)
      .sort((a, b) => b.model.id - a.model.id)
  }
}

/** A version whose files are no longer where they were found: it stays readable. */
function asRemoved(version: VersionRecord | null): VersionRecord | null {
  return version && { ...version, state: 'REMOVED' }
}

/** Changes that the filter wants, each with its job as it is now. */
function changesWithJobs(
  changes: ReturnType<AppContext['log']['changes']>,
  filter: JobFilter,
  job: (id: JobId) => Promise<JobRecord | null>,
): ReturnType<App['jobChanges']> {
  const next = async () => {
    for (;;) {
      const change = await changes.next()
      if (change.done) return { done: true as const, value: undefined }
      const record = await job(change.value.jobId)
      // A job that retention has removed since has no changes to show.
      if (record && matchesFilter(filter, record, change.value))
        return { done: false as const, value: { event: change.value, job: record } }
    }
  }
  const end = async () => {
    await changes.return?.()
    return { done: true as const, value: undefined }
  }
  return {
    next,
    return: end,
    throw: end,
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
