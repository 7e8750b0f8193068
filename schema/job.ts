import { shownRequest } from '../src/app/request-artifacts.ts'
import { builder } from './builder.ts'
import { readPage } from './connection.ts'
import { pageOfDecisions } from './decision-list.ts'
import { encodeId } from './ids.ts'
import { JobEventConnection } from './job-event.ts'
import { JobFailure } from './job-failure.ts'
import { JobOutput } from './job-output.ts'
import { Progress, progressOf } from './job-progress.ts'
import { JobState } from './job-state.ts'
import { JobTimings } from './job-timings.ts'
import { WaitCode, waitingOf } from './job-waiting.ts'
import { required } from './loaders.ts'
import { Node } from './node.ts'
import { Allocation, DecisionConnection, Device, Job, Model, ModelVersion, Session } from './nouns.ts'
import { PauseCause } from './pause-cause.ts'
import { PriorityClass } from './priority-class.ts'
import { storedWeight } from './weights.ts'

/** Of one job; an operation's cost reckons with few. */
const allocationsMax = 100
const allocationsReckoned = 10

builder.objectType(Job, {
  interfaces: [Node],
  description: 'One task asked of one model. It ends exactly once; automatic retries are attempts of the same job.',
  fields: (t) => ({
    id: t.id({ resolve: (job) => encodeId('Job', job.id) }),
    state: t.expose('state', { type: JobState }),
    task: t.exposeString('taskKind', { description: 'The field of TaskInput that was set.' }),
    request: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The accepted task with defaults filled in.',
      extensions: { weight: storedWeight },
      resolve: async ({ id }, _, { loaders }) =>
        shownRequest(await loaders.request.load(id), (artifactId) => encodeId('Artifact', artifactId)),
    }),
    model: t.field({
      type: Model,
      resolve: async ({ modelId }, _, { loaders }) => required('Model', await loaders.model.load(modelId)),
    }),
    modelVersion: t.field({
      type: ModelVersion,
      nullable: true,
      resolve: ({ versionId }, _, { loaders }) => loaders.version.load(versionId),
    }),
    session: t.field({
      type: Session,
      nullable: true,
      resolve: ({ sessionId }, _, { loaders }) => (sessionId === null ? null : loaders.session.load(sessionId)),
    }),
    priorityClass: t.field({ type: PriorityClass, resolve: (job) => job.class }),
    device: t.field({
      type: Device,
      nullable: true,
      resolve: ({ deviceId }, _, { loaders }) => (deviceId === null ? null : loaders.device.load(deviceId)),
    }),
    progress: t.field({
      type: Progress,
      nullable: true,
      resolve: (job) => progressOf(job.progressDone, job.progressTotal, job.progressUnit),
    }),
    queuePosition: t.int({
      nullable: true,
      description: "The place in today's order, from 1; it may rise.",
      resolve: (job, _, context) => waitingOf(job, context)?.queuePosition ?? null,
    }),
    estimatedStartAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (job, _, context) => waitingOf(job, context)?.estimatedStartAt ?? null,
    }),
    waitReason: t.string({
      nullable: true,
      resolve: (job, _, context) => waitingOf(job, context)?.reason ?? null,
    }),
    waitCode: t.field({
      type: WaitCode,
      nullable: true,
      resolve: (job, _, context) => waitingOf(job, context)?.code ?? null,
    }),
    pauseCause: t.expose('pauseCause', {
      type: PauseCause,
      nullable: true,
      description: 'Why it is paused; null when it is not.',
    }),
    attemptCount: t.exposeInt('attempt'),
    retryOf: t.field({
      type: Job,
      nullable: true,
      resolve: ({ retryOf }, _, { loaders }) => (retryOf === null ? null : loaders.job.load(retryOf)),
    }),
    timings: t.field({ type: JobTimings, resolve: (job) => job }),
    output: t.field({
      type: JobOutput,
      nullable: true,
      description: 'What it gave; a cancelled one keeps its text.',
      extensions: { weight: storedWeight },
      resolve: (job, _, { loaders }) => (job.finishedAt === null ? null : loaders.output.load(job)),
    }),
    error: t.field({ type: JobFailure, nullable: true, resolve: (job) => job.failure }),
    allocations: t.field({
      type: [Allocation],
      description: `What it has kept in memory, newest first: the last ${allocationsMax}, with those that were given back.`,
      extensions: { listSizeMax: allocationsReckoned },
      resolve: ({ id }, _, { app }) => app.allocations({ jobId: id }, { first: allocationsMax, beforeId: null }),
    }),
    decisions: t.field({
      type: DecisionConnection,
      description: 'What was decided about it, newest first.',
      args: { first: t.arg.int(), after: t.arg.string() },
      resolve: ({ id }, args, { app }) => pageOfDecisions(args, { jobId: id }, app),
    }),
    events: t.field({
      type: JobEventConnection,
      description: 'Its log, newest first.',
      args: { first: t.arg.int(), after: t.arg.string() },
      resolve: ({ id }, args, { app }) =>
        readPage(args, {
          cursors: 'event',
          read: (page) => app.jobEventPage(id, page.first, page.beforeId),
          position: (event) => event.sequence,
          count: () => app.countJobEvents(id),
          isLast: ({ body }) => body.kind === 'queued',
        }),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true }),
    deadline: t.expose('deadlineAt', { type: 'DateTime', nullable: true }),
  }),
})
