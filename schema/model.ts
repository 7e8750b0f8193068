import type { Residency as ResidencyView } from '../src/scheduler/commands.ts'
import type { ModelId } from '../src/store/records.ts'
import { builder } from './builder.ts'
import { readPage } from './connection.ts'
import type { RequestContext } from './context.ts'
import { encodeId } from './ids.ts'
import { JobConnection, JobFilter, pageOfJobs } from './job-list.ts'
import { Node } from './node.ts'
import { Component, Model, ModelVersion, ModelVersionConnection, Residency } from './nouns.ts'

builder.objectType(Model, {
  interfaces: [Node],
  description: 'A model by name; its versions are its contents over time.',
  fields: (t) => ({
    id: t.id({ resolve: (model) => encodeId('Model', model.id) }),
    name: t.exposeString('name'),
    task: t.exposeString('task', { description: 'The field of TaskInput that it answers.' }),
    current: t.field({
      type: ModelVersion,
      description: 'What a bare name means in a submission.',
      resolve: ({ id }, _, { app }) => app.currentVersion(id),
    }),
    versions: t.field({
      type: ModelVersionConnection,
      args: { first: t.arg.int(), after: t.arg.string() },
      resolve: ({ id }, args, { app }) =>
        readPage(args, {
          cursors: 'version',
          read: (page) => app.versions(id, page),
          position: (version) => version.id,
          count: () => app.countVersions(id),
        }),
    }),
    components: t.field({
      type: [Component],
      resolve: async ({ id }, _, { app }) => app.components((await app.currentVersion(id)).id),
    }),
    peakBytes: t.field({
      type: 'ByteCount',
      description: 'Planned memory of the current version in use.',
      resolve: async ({ id }, _, { app }) => app.versionFacts(await app.currentVersion(id)).peakBytes,
    }),
    residencies: t.field({ type: [Residency], resolve: ({ id }, _, context) => residenciesOf(id, context) }),
    jobs: t.field({
      type: JobConnection,
      args: { first: t.arg.int(), after: t.arg.string(), filter: t.arg({ type: JobFilter }) },
      resolve: ({ id }, args, context) => pageOfJobs(args, { modelId: id }, context),
    }),
  }),
})

async function residenciesOf(id: ModelId, { app, loaders }: RequestContext): Promise<ResidencyView[]> {
  const residencies = app.residencies({})
  const versions = await Promise.all(residencies.map(({ versionId }) => loaders.version.load(versionId)))
  return residencies.filter((_, index) => versions[index]?.modelId === id)
}
