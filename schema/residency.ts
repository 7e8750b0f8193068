import { builder } from './builder.ts'
import { encodeId } from './ids.ts'
import { required } from './loaders.ts'
import { Node } from './node.ts'
import { Component, Device, Residency } from './nouns.ts'

builder.objectType(Residency, {
  interfaces: [Node],
  description: 'A copy of a model that is kept warm.',
  fields: (t) => ({
    id: t.id({ resolve: (residency) => encodeId('Residency', residency.residencyId) }),
    tier: t.field({ type: MemoryTier, resolve: () => 'DEVICE' as const }),
    device: t.field({
      type: Device,
      nullable: true,
      resolve: ({ deviceId }, _, { app }) => app.devices().find((device) => device.id === deviceId) ?? null,
    }),
    sha256: t.string({
      description: 'Digest of the content it was loaded from.',
      resolve: async ({ versionId }, _, { loaders }) =>
        required('Version', await loaders.version.load(versionId)).sha256,
    }),
    components: t.field({
      type: [Component],
      description:
        'Those that are there: while it loads, more and more of them. Each can be used before the rest has come.',
      resolve: async ({ versionId, components }, _, { app }) => {
        const loaded = new Set(components)
        return (await app.components(versionId)).filter((_component, place) => loaded.has(place))
      },
    }),
    state: t.field({ type: ResidencyState, resolve: (residency) => residency.state }),
    sizeBytes: t.expose('sizeBytes', { type: 'ByteCount' }),
    loadedBytes: t.expose('loadedBytes', {
      type: 'ByteCount',
      description: 'Of its weights, what is there; modelEvents tells each change.',
    }),
    loadedAt: t.expose('loadedAt', { type: 'DateTime', nullable: true }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', nullable: true }),
    pinned: t.boolean({
      description: 'It is not evicted.',
      resolve: ({ residencyId }, _, { app }) => app.isPinned(residencyId),
    }),
  }),
})

const MemoryTier = builder.enumType('MemoryTier', {
  description: 'DEVICE = open in an engine; HOST = file pages kept warm, no engine holds them.',
  values: ['HOST', 'DEVICE'] as const,
})
const ResidencyState = builder.enumType('ResidencyState', {
  values: { LOADING: { value: 'loading' }, RESIDENT: { value: 'resident' }, EVICTING: { value: 'evicting' } } as const,
})
