import type {
  GeneratedImage as GeneratedImageView,
  JobOutput as JobOutputView,
  OutputTensorView,
  SafetyVerdict as SafetyVerdictView,
} from '../src/app/app.ts'
import { builder } from './builder.ts'
import { Artifact } from './nouns.ts'
import { valuesWeight } from './weights.ts'

/** An operation's cost reckons with so many: more are rare, and small. The bytes of all tensors of a job together are bounded (`valuesWeight`). */
const imagesReckoned = 8
const labelsReckoned = 10
const tensorsReckoned = 5
const artifactsReckoned = 5

type OutputOf<Kind extends JobOutputView['kind']> = Extract<JobOutputView, { kind: Kind }>

const FinishReason = builder.enumType('FinishReason', { values: ['STOP', 'LENGTH', 'CANCELLED'] as const })

const SafetyVerdict = builder.objectRef<SafetyVerdictView>('SafetyVerdict').implement({
  fields: (t) => ({
    safe: t.exposeBoolean('safe'),
    score: t.exposeFloat('score', { description: '0 = harmless, 1 = certainly not.' }),
    checkedBy: t.exposeString('checkedBy', { description: 'The model that looked at it.' }),
  }),
})

const GeneratedImage = builder.objectRef<GeneratedImageView>('GeneratedImage').implement({
  fields: (t) => ({
    image: t.field({
      type: Artifact,
      nullable: true,
      description: 'Null when it was withheld, and when retention has removed it.',
      resolve: ({ artifactId }, _, { loaders }) => (artifactId === null ? null : loaders.artifact.load(artifactId)),
    }),
    withheld: t.exposeBoolean('withheld', { description: 'The safety check took it for unsafe; the others are here.' }),
    seed: t.expose('seed', {
      type: 'SafeInt',
      description: 'Makes this picture again, as the first of its job. 0 for one that was not made from a prompt.',
    }),
    safety: t.field({
      type: SafetyVerdict,
      nullable: true,
      description: 'Null when it was not checked.',
      resolve: ({ safety }) => safety,
    }),
  }),
})

const ImagesOutput = builder.objectRef<OutputOf<'images'>>('ImagesOutput').implement({
  fields: (t) => ({
    images: t.expose('images', {
      type: [GeneratedImage],
      description: 'In the order of their seeds.',
      extensions: { listSizeMax: imagesReckoned },
    }),
  }),
})

const TextOutput = builder.objectRef<OutputOf<'text'>>('TextOutput').implement({
  fields: (t) => ({
    text: t.exposeString('text'),
    finishReason: t.expose('finishReason', { type: FinishReason }),
    promptTokens: t.exposeInt('promptTokens'),
    completionTokens: t.exposeInt('completionTokens'),
  }),
})

const EmbeddingsOutput = builder.objectRef<OutputOf<'embeddings'>>('EmbeddingsOutput').implement({
  fields: (t) => ({
    embeddings: t.field({
      type: ['Vector'],
      nullable: true,
      description: 'One per text, in order.',
      extensions: { weight: valuesWeight },
      resolve: (output) => output.embeddings,
    }),
    dimensions: t.exposeInt('dimensions'),
    count: t.exposeInt('count'),
    artifact: t.field({
      type: Artifact,
      nullable: true,
      description:
        'Instead of `embeddings` where there are more than 256: float32, little endian, one after the other.',
      resolve: ({ artifactId }, _, { loaders }) => (artifactId === null ? null : loaders.artifact.load(artifactId)),
    }),
  }),
})

const ScoredLabel = builder.objectRef<OutputOf<'classification'>['labels'][number]>('ScoredLabel').implement({
  fields: (t) => ({ label: t.exposeString('label'), score: t.exposeFloat('score') }),
})

const ClassificationOutput = builder.objectRef<OutputOf<'classification'>>('ClassificationOutput').implement({
  fields: (t) => ({
    labels: t.expose('labels', {
      type: [ScoredLabel],
      description: 'Best first.',
      extensions: { listSizeMax: labelsReckoned },
    }),
  }),
})

const Tensor = builder.objectRef<OutputTensorView>('Tensor').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    dtype: t.exposeString('dtype'),
    shape: t.expose('shape', { type: ['Int'] }),
    values: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'Nested lists; integers beyond 2^53, NaN and Infinity as strings. Null for a large one: it is an artifact.',
      resolve: (tensor) => tensor.values,
    }),
    artifact: t.field({
      type: Artifact,
      nullable: true,
      description:
        'Raw little-endian bytes, last axis fastest; of texts, JSON. Null too when retention has removed it.',
      resolve: ({ artifactId }, _, { loaders }) => (artifactId === null ? null : loaders.artifact.load(artifactId)),
    }),
  }),
})

const TensorsOutput = builder.objectRef<OutputOf<'tensors'>>('TensorsOutput').implement({
  fields: (t) => ({
    tensors: t.expose('tensors', {
      type: [Tensor],
      description: 'In the order asked for.',
      extensions: { listSizeMax: tensorsReckoned, weight: valuesWeight },
    }),
  }),
})

const ProgramOutput = builder.objectRef<OutputOf<'program'>>('ProgramOutput').implement({
  fields: (t) => ({
    values: t.expose('values', { type: 'JSON', extensions: { weight: valuesWeight } }),
    artifacts: t.field({
      type: [Artifact],
      description: 'What retention has removed is left out.',
      extensions: { listSizeMax: artifactsReckoned },
      resolve: async ({ artifactIds }, _, { loaders }) => {
        const artifacts = await Promise.all(artifactIds.map((id) => loaders.artifact.load(id)))
        return artifacts.filter((artifact) => artifact !== null)
      },
    }),
  }),
})

const typeNames = {
  images: 'ImagesOutput',
  text: 'TextOutput',
  embeddings: 'EmbeddingsOutput',
  classification: 'ClassificationOutput',
  tensors: 'TensorsOutput',
  program: 'ProgramOutput',
} as const

export const JobOutput = builder.unionType('JobOutput', {
  types: [ImagesOutput, TextOutput, EmbeddingsOutput, ClassificationOutput, TensorsOutput, ProgramOutput],
  resolveType: (output) => typeNames[output.kind],
})
