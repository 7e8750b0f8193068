import type { ModelEvent as ModelEventView } from '../src/app/app.ts'
import type { VersionId } from '../src/scheduler/ids.ts'
import type { VersionRecord } from '../src/store/records.ts'
import { builder } from './builder.ts'
import type { RequestContext } from './context.ts'
import { encodeId } from './ids.ts'
import { JobFailure } from './job-failure.ts'
import { required } from './loaders.ts'
import { Decision, Model, ModelVersion, Residency } from './nouns.ts'
import { requestError } from './request-error.ts'

type EventOf<Type extends ModelEventView['type']> = Extract<ModelEventView, { type: Type }>

const ModelEvent = builder.interfaceRef<ModelEventView>('ModelEvent').implement({
  resolveType: (event) => event.type,
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime' }),
    model: t.field({
      type: Model,
      resolve: async ({ modelId }, _, { loaders }) => required('Model', await loaders.model.load(modelId)),
    }),
  }),
})

builder.objectRef<EventOf<'ModelRegistered'>>('ModelRegistered').implement({
  interfaces: [ModelEvent],
  fields: (t) => ({
    version: t.field({ type: ModelVersion, resolve: ({ versionId }, _, context) => versionOf(versionId, context) }),
  }),
})
builder.objectRef<EventOf<'ResidencyChanged'>>('ResidencyChanged').implement({
  interfaces: [ModelEvent],
  fields: (t) => ({
    residency: t.expose('residency', { type: Residency }),
    decision: t.expose('decision', {
      type: Decision,
      nullable: true,
      description: 'Why it is being loaded, or has to go.',
    }),
  }),
})
builder.objectRef<EventOf<'ResidencyEnded'>>('ResidencyEnded').implement({
  interfaces: [ModelEvent],
  fields: (t) => ({
    residencyId: t.id({ resolve: (event) => encodeId('Residency', event.residencyId) }),
    decision: t.expose('decision', {
      type: Decision,
      nullable: true,
      description: 'Why it had to go; null when its worker was lost.',
    }),
  }),
})
builder.objectRef<EventOf<'ModelLoadFailed'>>('ModelLoadFailed').implement({
  interfaces: [ModelEvent],
  fields: (t) => ({
    version: t.field({ type: ModelVersion, resolve: ({ versionId }, _, context) => versionOf(versionId, context) }),
    error: t.field({ type: JobFailure, resolve: ({ failure }) => failure }),
  }),
})

builder.subscriptionField('modelEvents', (t) =>
  t.field({
    type: ModelEvent,
    description: 'What happens to one model, or to all.',
    args: { model: t.arg.string() },
    subscribe: async (_, args, { app }) => {
      const model = typeof args.model === 'string' ? await app.model(args.model) : undefined
      if (model === null) throw requestError('NOT_FOUND', `No model ${JSON.stringify(args.model)} is known here.`)
      return app.modelEvents(model?.id ?? null)
    },
    resolve: (event) => event,
  }),
)

async function versionOf(id: VersionId, { loaders }: RequestContext): Promise<VersionRecord> {
  return required('Version', await loaders.version.load(id))
}
