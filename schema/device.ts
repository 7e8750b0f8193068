import { builder } from './builder.ts'
import { encodeId } from './ids.ts'
import { Node } from './node.ts'
import { Allocation, Device, Residency, Worker } from './nouns.ts'

/** An operation's cost reckons with so many: weights, engines, and a few rows for each picture that is being made. */
const allocationsReckoned = 50

builder.objectType(Device, {
  interfaces: [Node],
  description: 'Something that computes and has memory: a CPU (or a share of its cores), a GPU, an NPU.',
  fields: (t) => ({
    id: t.id({ resolve: (device) => encodeId('Device', device.id) }),
    name: t.exposeString('name'),
    kind: t.expose('kind', { type: DeviceKind }),
    vendor: t.exposeString('vendor', { nullable: true }),
    state: t.expose('state', { type: DeviceState }),
    drain: t.expose('drain', { type: DrainState }),
    source: t.expose('source', { type: DeviceSource }),
    memory: t.field({ type: DeviceMemory, resolve: (device) => device.memory }),
    capabilities: t.field({ type: DeviceCapabilities, resolve: (device) => device.capabilities }),
    workers: t.field({
      type: [Worker],
      resolve: ({ id }, _, { app }) => app.workers().filter((worker) => worker.deviceId === id),
    }),
    residencies: t.field({ type: [Residency], resolve: ({ id }, _, { app }) => app.residencies({ deviceId: id }) }),
    allocations: t.field({
      type: [Allocation],
      description: 'What is lent now; `Query.allocations` has also what was given back.',
      extensions: { listSizeMax: allocationsReckoned },
      resolve: ({ id }, _, { app }) => app.openAllocations({ deviceId: id }),
    }),
  }),
})

const DeviceKind = builder.enumType('DeviceKind', { values: ['CPU', 'GPU', 'NPU'] as const })
const DeviceState = builder.enumType('DeviceState', { values: ['HEALTHY', 'SUSPECT', 'LOST'] as const })
const DrainState = builder.enumType('DrainState', { values: ['NONE', 'DRAINING', 'DRAINED'] as const })
const DeviceSource = builder.enumType('DeviceSource', {
  description: 'Where its readings come from. REPLAY: recorded ones, only when asked for.',
  values: ['CPU', 'NVIDIA', 'REPLAY'] as const,
})

const DeviceMemory = builder.objectRef<(typeof Device.$inferType)['memory']>('DeviceMemory').implement({
  description: 'The ledger: available = limit - allocated - reserved - external.',
  fields: (t) => ({
    totalBytes: t.expose('totalBytes', { type: 'ByteCount' }),
    limitBytes: t.expose('limitBytes', { type: 'ByteCount', description: 'What Hearth may hand out.' }),
    reservedBytes: t.expose('reservedBytes', { type: 'ByteCount', description: 'In flight: promised, not yet used.' }),
    allocatedBytes: t.expose('allocatedBytes', { type: 'ByteCount', description: 'Committed.' }),
    availableBytes: t.expose('availableBytes', { type: 'ByteCount' }),
    externalBytes: t.expose('externalBytes', {
      type: 'ByteCount',
      description: 'Measured use that no allocation owns.',
    }),
    fragmentation: t.exposeFloat('fragmentation', { description: '0 to 1.' }),
  }),
})

const DeviceCapabilities = builder
  .objectRef<(typeof Device.$inferType)['capabilities']>('DeviceCapabilities')
  .implement({
    fields: (t) => ({
      coreCount: t.exposeInt('coreCount', { nullable: true }),
      precisions: t.exposeStringList('precisions'),
      architecture: t.exposeString('architecture', { nullable: true }),
      driverVersion: t.exposeString('driverVersion', { nullable: true }),
      details: t.expose('details', { type: 'JSON' }),
    }),
  })

builder.queryField('devices', (t) =>
  t.field({ type: [Device], nullable: true, resolve: (_, __, { app }) => app.devices() }),
)
