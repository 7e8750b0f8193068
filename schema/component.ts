import { builder } from './builder.ts'
import { encodeId } from './ids.ts'
import { required } from './loaders.ts'
import { Node } from './node.ts'
import { Component, ModelVersion, Residency } from './nouns.ts'

builder.objectType(Component, {
  interfaces: [Node],
  description: 'A part of a model that loads by itself: text encoder, UNet, language model.',
  fields: (t) => ({
    id: t.id({ resolve: (component) => encodeId('Component', component.id) }),
    version: t.field({
      type: ModelVersion,
      resolve: async ({ versionId }, _, { loaders }) => required('Version', await loaders.version.load(versionId)),
    }),
    name: t.exposeString('name'),
    format: t.exposeString('format'),
    sizeBytes: t.expose('sizeBytes', { type: 'ByteCount' }),
    sha256: t.exposeString('sha256'),
    dependsOn: t.exposeStringList('dependsOn', { description: 'Names of components that must be loaded first.' }),
    residencies: t.field({
      type: [Residency],
      description: 'Where it is loaded.',
      resolve: async ({ id, versionId }, _, { app }) => {
        const place = (await app.components(versionId)).findIndex((component) => component.id === id)
        return app.residencies({ versionId }).filter(({ components }) => components.includes(place))
      },
    }),
  }),
})
