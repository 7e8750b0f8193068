import type { App, TensorPortView } from '../src/app/app.ts'
import { shortDigest } from '../src/app/catalogue.ts'
import { builder } from './builder.ts'
import { encodeId } from './ids.ts'
import { required } from './loaders.ts'
import { Node } from './node.ts'
import { Component, Model, ModelVersion, Residency } from './nouns.ts'
import { TensorPort } from './tensor-port.ts'

builder.objectType(ModelVersion, {
  interfaces: [Node],
  description: "One content of a model's files; its identity is the digest.",
  fields: (t) => ({
    id: t.id({ resolve: (version) => encodeId('ModelVersion', version.id) }),
    model: t.field({
      type: Model,
      resolve: async ({ modelId }, _, { loaders }) => required('Model', await loaders.model.load(modelId)),
    }),
    version: t.string({
      description: 'The first 12 digits of the digest, as in `name@version`.',
      resolve: ({ sha256 }) => shortDigest(sha256),
    }),
    sha256: t.exposeString('sha256'),
    state: t.expose('state', { type: ModelVersionState }),
    problem: t.string({
      nullable: true,
      description: 'Why it was REFUSED or REMOVED, and what to do about it.',
      resolve: (version, _, { app }) => app.versionFacts(version).problem,
    }),
    verifiedBytes: t.field({
      type: 'ByteCount',
      nullable: true,
      description: 'Of sizeBytes, while it is VERIFYING; null at other times.',
      resolve: (version, _, { app }) => app.versionFacts(version).verifiedBytes,
    }),
    license: t.exposeString('license', { nullable: true }),
    defaults: t.field({ type: 'JSON', resolve: (version, _, { app }) => app.versionFacts(version).defaults }),
    metadata: t.field({
      type: 'JSON',
      description: 'What the headers of its files say, by component.',
      resolve: (version, _, { app }) => app.versionFacts(version).metadata,
    }),
    inputs: t.field({
      type: [TensorPort],
      nullable: true,
      description: 'What its graph takes; null where no header says so.',
      resolve: (version, _, { app }) => app.versionFacts(version).signature?.inputs ?? null,
    }),
    outputs: t.field({
      type: [TensorPort],
      nullable: true,
      description:
        'What its graph gives; null where no header says so. Of what is no tensor, dtype is the type in words; a job gives its values as tensors.',
      resolve: (version, _, { app }) => outputsOf(app.versionFacts(version).signature),
    }),
    examplePrompts: t.stringList({ resolve: (version, _, { app }) => [...app.versionFacts(version).examplePrompts] }),
    components: t.field({ type: [Component], resolve: ({ id }, _, { app }) => app.components(id) }),
    sizeBytes: t.expose('sizeBytes', { type: 'ByteCount' }),
    peakBytes: t.field({ type: 'ByteCount', resolve: (version, _, { app }) => app.versionFacts(version).peakBytes }),
    residencies: t.field({ type: [Residency], resolve: ({ id }, _, { app }) => app.residencies({ versionId: id }) }),
    registeredAt: t.expose('registeredAt', { type: 'DateTime' }),
  }),
})

function outputsOf(signature: ReturnType<App['versionFacts']>['signature']): TensorPortView[] | null {
  if (signature === null) return null
  return [...signature.outputs, ...signature.others.map(({ name, type }) => ({ name, dtype: type, shape: null }))]
}

const ModelVersionState = builder.enumType('ModelVersionState', {
  values: ['READY', 'VERIFYING', 'REFUSED', 'REMOVED'] as const,
})
