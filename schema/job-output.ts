import type { JobOutput as JobOutputView } from '../src/app/app.ts'
import { builder } from './builder.ts'
import { valuesWeight } from './weights.ts'

type OutputOf<Kind extends JobOutputView['kind']> = Extract<JobOutputView, { kind: Kind }>

const FinishReason = builder.enumType('FinishReason', { values: ['STOP', 'LENGTH', 'CANCELLED'] as const })

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
  }),
})

const ProgramOutput = builder.objectRef<OutputOf<'program'>>('ProgramOutput').implement({
  fields: (t) => ({ values: t.expose('values', { type: 'JSON', extensions: { weight: valuesWeight } }) }),
})

const typeNames = { text: 'TextOutput', embeddings: 'EmbeddingsOutput', program: 'ProgramOutput' } as const

export const JobOutput = builder.unionType('JobOutput', {
  types: [TextOutput, EmbeddingsOutput, ProgramOutput],
  resolveType: (output) => typeNames[output.kind],
})
