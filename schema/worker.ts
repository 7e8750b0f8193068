import { builder } from './builder.ts'
import { encodeId } from './ids.ts'
import { Node } from './node.ts'
import { Device, Job, Worker } from './nouns.ts'
import { present } from './present.ts'

builder.objectType(Worker, {
  interfaces: [Node],
  description: 'A Python process that keeps one kind of engine warm on one device.',
  fields: (t) => ({
    id: t.id({ resolve: (worker) => encodeId('Worker', worker.id) }),
    device: t.field({
      type: Device,
      nullable: true,
      resolve: ({ deviceId }, _, { app }) => app.devices().find((device) => device.id === deviceId) ?? null,
    }),
    engine: t.exposeString('engine'),
    state: t.expose('state', { type: WorkerState }),
    pid: t.exposeInt('pid', { nullable: true }),
    startedAt: t.expose('startedAt', { type: 'DateTime' }),
    restartCount: t.exposeInt('restartCount'),
    requestsServed: t.exposeInt('requestsServed'),
    memoryBytes: t.expose('memoryBytes', { type: 'ByteCount', nullable: true }),
    runningJobs: t.field({
      type: [Job],
      resolve: async ({ runningJobIds }, _, { loaders }) => present(await loaders.job.loadMany(runningJobIds)),
    }),
  }),
})

const WorkerState = builder.enumType('WorkerState', {
  values: ['STARTING', 'READY', 'BUSY', 'HUNG', 'STOPPING', 'DEAD'] as const,
})

builder.queryField('workers', (t) =>
  t.field({ type: [Worker], nullable: true, resolve: (_, __, { app }) => app.workers() }),
)
