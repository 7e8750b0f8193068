import type { QueueView } from '../src/app/app.ts'
import { builder } from './builder.ts'
import { required } from './loaders.ts'
import { Job, Model } from './nouns.ts'
import { pageSize, pageSizeDefault } from './page-size.ts'
import { present } from './present.ts'
import { PriorityClass } from './priority-class.ts'

const QueueLane = builder.objectRef<QueueView['lanes'][number]>('QueueLane').implement({
  fields: (t) => ({
    priorityClass: t.field({ type: PriorityClass, resolve: (lane) => lane.class }),
    queued: t.exposeInt('queued'),
    running: t.exposeInt('running'),
    paused: t.exposeInt('paused'),
    oldestQueuedMs: t.exposeFloat('oldestQueuedMs', { nullable: true }),
    estimatedDrainMs: t.exposeFloat('estimatedDrainMs', { nullable: true }),
  }),
})

const QueueModel = builder.objectRef<QueueView['models'][number]>('QueueModel').implement({
  fields: (t) => ({
    model: t.field({
      type: Model,
      resolve: async ({ versionId }, _, { loaders }) => {
        const version = required('Version', await loaders.version.load(versionId))
        return required('Model', await loaders.model.load(version.modelId))
      },
    }),
    queued: t.exposeInt('queued'),
    oldestQueuedMs: t.exposeFloat('oldestQueuedMs'),
    estimatedStartAt: t.expose('estimatedStartAt', { type: 'DateTime', nullable: true }),
  }),
})

const EstimateError = builder.objectRef<NonNullable<QueueView['estimateError']>>('EstimateError').implement({
  description:
    'Actual minus estimated start of the latest jobs that somebody had asked about while they waited; the first estimate of each counts.',
  fields: (t) => ({
    count: t.exposeInt('count'),
    medianMs: t.exposeFloat('medianMs', { description: 'Positive: they started later than was said.' }),
    p90AbsoluteMs: t.exposeFloat('p90AbsoluteMs', { description: 'Nine of ten were off by no more, early or late.' }),
  }),
})

const Queue = builder.objectRef<QueueView>('Queue').implement({
  description: 'What waits, now.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime' }),
    limit: t.exposeInt('limit', { description: 'Most jobs that may wait.' }),
    lanes: t.expose('lanes', { type: [QueueLane] }),
    models: t.expose('models', { type: [QueueModel] }),
    estimateError: t.expose('estimateError', {
      type: EstimateError,
      nullable: true,
      description: 'How good estimatedStartAt has been; null as long as nobody knows.',
    }),
    next: t.field({
      type: [Job],
      description: 'The jobs that come next, in order.',
      args: { first: t.arg.int({ required: true, defaultValue: pageSizeDefault }) },
      resolve: async (queue, { first }, { loaders }) =>
        present(await loaders.job.loadMany(queue.next(pageSize(first)))),
    }),
  }),
})

builder.queryField('queue', (t) => t.field({ type: Queue, nullable: true, resolve: (_, __, { app }) => app.queue() }))
