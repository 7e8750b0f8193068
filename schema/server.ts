import type { App, NamedSetting as Setting } from '../src/app/app.ts'
import { builder } from './builder.ts'

type ServerView = ReturnType<App['server']>

const NamedSetting = builder.objectRef<Setting>('NamedSetting').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    value: t.exposeString('value'),
    description: t.exposeString('description'),
  }),
})

const StorageInfo = builder.objectRef<ServerView['storage']>('StorageInfo').implement({
  fields: (t) => ({
    databaseBytes: t.expose('databaseBytes', { type: 'ByteCount' }),
    walBytes: t.expose('walBytes', { type: 'ByteCount' }),
    artifactBytes: t.expose('artifactBytes', { type: 'ByteCount', description: 'Files of artifacts.' }),
    freeBytes: t.expose('freeBytes', { type: 'ByteCount', description: 'Free on the disk of the data folder.' }),
  }),
})

const TensorPoolInfo = builder.objectRef<ServerView['tensorPool']>('TensorPoolInfo').implement({
  description: 'Shared memory for the large tensors that workers send. Counts are since the start.',
  fields: (t) => ({
    problem: t.exposeString('problem', {
      nullable: true,
      description: 'Why there is no shared memory: large tensors go in chunks then. Null = there is.',
    }),
    limitBytes: t.expose('limitBytes', { type: 'ByteCount' }),
    sizeBytes: t.expose('sizeBytes', { type: 'ByteCount', description: 'Of all slabs that there are now.' }),
    freeBytes: t.expose('freeBytes', { type: 'ByteCount' }),
    grantedBytes: t.expose('grantedBytes', { type: 'ByteCount', description: 'In the hands of workers, not filled.' }),
    inUseBytes: t.expose('inUseBytes', { type: 'ByteCount', description: 'Filled, and being read.' }),
    hits: t.exposeInt('hits', { description: 'Tensors that came in shared memory.' }),
    misses: t.exposeInt('misses', {
      description: 'Tensors that found no room there at the moment, and came in chunks.',
    }),
    fallbacks: t.exposeInt('fallbacks', { description: 'Tensors that came in chunks for want of shared memory.' }),
    refusals: t.exposeInt('refusals', { description: 'Requests of workers for room that were not met.' }),
    droppedTransfers: t.exposeInt('droppedTransfers', {
      description: 'Tensors in chunks that were cut off or that nobody referred to.',
    }),
    handedTensors: t.exposeInt('handedTensors', {
      description: 'Outputs that a task of a job took from an earlier one inside their worker.',
    }),
    handedBytes: t.expose('handedBytes', { type: 'ByteCount' }),
    handOverCopiedBytes: t.expose('handOverCopiedBytes', {
      type: 'ByteCount',
      description: 'Of these, what had to be copied on the way.',
    }),
    gatheredBytes: t.expose('gatheredBytes', {
      type: 'ByteCount',
      description: 'Put side by side for runs that several tasks share: what batching copies, at each step anew.',
    }),
    copiedBytes: t.expose('copiedBytes', {
      type: 'ByteCount',
      description: "By all copies between a worker's arrays and whoever took the tensors.",
    }),
  }),
})

const ValidationInfo = builder.objectRef<ServerView['validation']>('ValidationInfo').implement({
  description:
    'Checks of the names, dtypes and shapes of `infer` that were remembered. Values, and other tasks, are checked anew each time.',
  fields: (t) => ({
    hits: t.expose('hits', { type: 'SafeInt', description: 'Checks that were not repeated.' }),
    misses: t.expose('misses', { type: 'SafeInt' }),
    savedMs: t.exposeFloat('savedMs', {
      description:
        'What they would have taken, less what finding their answers took: measured at every 32nd, reckoned for all.',
    }),
  }),
})

const PreviewInfo = builder.objectRef<ServerView['previews']>('PreviewInfo').implement({
  description: 'Previews that workers have sent since the start.',
  fields: (t) => ({
    shown: t.exposeInt('shown'),
    superseded: t.exposeInt('superseded', {
      description: 'A newer one of the same picture was faster, or its job ended.',
    }),
    dropped: t.exposeInt('dropped', { description: 'The disk had no room for them; their jobs went on.' }),
  }),
})

const HistoryInfo = builder.objectRef<ServerView['history']>('HistoryInfo').implement({
  description:
    'What could not be kept of what was decided, since the start: it is gone when the server stops, or earlier.',
  fields: (t) => ({
    decisionsDropped: t.expose('decisionsDropped', { type: 'SafeInt' }),
    allocationsDropped: t.expose('allocationsDropped', { type: 'SafeInt' }),
  }),
})

const ServerInfo = builder.objectRef<ServerView>('ServerInfo').implement({
  fields: (t) => ({
    version: t.exposeString('version'),
    now: t.expose('now', { type: 'DateTime' }),
    startedAt: t.expose('startedAt', { type: 'DateTime' }),
    ready: t.exposeBoolean('ready', { description: 'Durable and accepting; models may be cold.' }),
    recoveredJobs: t.exposeInt('recoveredJobs', { description: 'Jobs that this start found unfinished.' }),
    policies: t.expose('policies', { type: [NamedSetting] }),
    limits: t.expose('limits', { type: [NamedSetting] }),
    storage: t.expose('storage', { type: StorageInfo, nullable: true }),
    tensorPool: t.expose('tensorPool', { type: TensorPoolInfo }),
    validation: t.expose('validation', { type: ValidationInfo }),
    previews: t.expose('previews', { type: PreviewInfo }),
    history: t.expose('history', { type: HistoryInfo }),
  }),
})

builder.queryField('server', (t) =>
  t.field({ type: ServerInfo, nullable: true, resolve: (_, __, { app }) => app.server() }),
)
