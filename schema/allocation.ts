import { builder } from './builder.ts'
import { encodeId } from './ids.ts'
import { required } from './loaders.ts'
import { Node } from './node.ts'
import { Allocation, Device, Job, Residency, Worker } from './nouns.ts'

builder.objectType(Allocation, {
  interfaces: [Node],
  description:
    "A row of a device's memory ledger: what was predicted and what was measured. Closed ones are kept for a while.",
  fields: (t) => ({
    id: t.id({ resolve: ({ allocationId }) => encodeId('Allocation', allocationId) }),
    device: t.field({
      type: Device,
      resolve: async ({ deviceId }, _, { loaders }) => required('Device', await loaders.device.load(deviceId)),
    }),
    purpose: t.expose('purpose', { type: AllocationPurpose }),
    state: t.field({ type: AllocationState, resolve: ({ state }) => state }),
    sizeBytes: t.expose('sizeBytes', { type: 'ByteCount', description: 'What it counts for now.' }),
    predictedBytes: t.expose('predictedBytes', { type: 'ByteCount' }),
    measuredBytes: t.expose('measuredBytes', { type: 'ByteCount', nullable: true }),
    job: t.field({
      type: Job,
      nullable: true,
      description: 'Whose paused state, or whose results between two of its tasks.',
      resolve: ({ jobId }, _, { loaders }) => (jobId === null ? null : loaders.job.load(jobId)),
    }),
    residency: t.field({
      type: Residency,
      nullable: true,
      resolve: ({ residencyId }, _, { app }) => (residencyId === null ? null : app.residency(residencyId)),
    }),
    worker: t.field({
      type: Worker,
      nullable: true,
      resolve: ({ workerId }, _, { app }) => app.workers().find(({ id }) => id === workerId) ?? null,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    releasedAt: t.expose('releasedAt', { type: 'DateTime', nullable: true }),
  }),
})

export const AllocationPurpose = builder.enumType('AllocationPurpose', {
  values: {
    WEIGHTS: { value: 'weights' },
    ACTIVATIONS: { value: 'activations', description: 'Results that a job keeps between two of its tasks.' },
    KV_CACHE: { value: 'kv_cache' },
    PAUSED_STATE: { value: 'paused_state', description: 'What a paused job keeps in its worker.' },
    RUNTIME: { value: 'runtime' },
  } as const,
})
export const AllocationState = builder.enumType('AllocationState', {
  values: {
    RESERVED: { value: 'reserved' },
    COMMITTED: { value: 'committed' },
    RELEASED: { value: 'released' },
    ROLLED_BACK: { value: 'rolled_back' },
  } as const,
})
