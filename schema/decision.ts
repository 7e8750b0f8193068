import { type AlternativeView, type DecisionText, decisionKinds } from '../src/app/decision-texts.ts'
import type { ScorePart as ScorePartView } from '../src/scheduler/explain/decision-words.ts'
import type { Decision as DecisionView } from '../src/scheduler/explain/decisions.ts'
import type { VersionId } from '../src/scheduler/ids.ts'
import type { ModelRecord } from '../src/store/records.ts'
import { builder } from './builder.ts'
import type { RequestContext } from './context.ts'
import { encodeId } from './ids.ts'
import { Node } from './node.ts'
import { Decision, Device, Job, Model } from './nouns.ts'

export const DecisionKind = builder.enumType('DecisionKind', {
  description:
    'PREFETCH: loaded because a client hinted at it. DRAIN: a device is lost, or the server stops, and nothing new begins there. LOWER_PRECISION is not decided yet.',
  values: decisionKinds,
})

const ScorePart = builder.objectRef<ScorePartView>('ScorePart').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    value: t.exposeFloat('value'),
    unit: t.exposeString('unit', { nullable: true }),
  }),
})

/** What there was to choose from: at most the winner and three others. */
const alternativesMax = 4
const partsReckoned = 5

const Alternative = builder.objectRef<AlternativeView>('Alternative').implement({
  description: 'A device, or a model, that could have been chosen.',
  fields: (t) => ({
    summary: t.exposeString('summary'),
    chosen: t.exposeBoolean('chosen'),
    device: t.field({
      type: Device,
      nullable: true,
      resolve: ({ deviceId }, _, { loaders }) => (deviceId === null ? null : loaders.device.load(deviceId)),
    }),
    model: t.field({
      type: Model,
      nullable: true,
      resolve: ({ versionId }, _, context) => modelOf(versionId, context),
    }),
    score: t.exposeFloat('score', {
      nullable: true,
      description: 'The number that decided; null where the parts are compared one after the other.',
    }),
    parts: t.expose('parts', { type: [ScorePart], extensions: { listSizeMax: partsReckoned } }),
  }),
})

builder.objectType(Decision, {
  interfaces: [Node],
  description: 'What the scheduler has moved or set, and why.',
  fields: (t) => ({
    id: t.id({ resolve: ({ sequence }) => encodeId('Decision', sequence) }),
    at: t.expose('at', { type: 'DateTime' }),
    kind: t.expose('kind', { type: DecisionKind }),
    reason: t.string({ resolve: async (decision, _, context) => (await textOf(decision, context)).reason }),
    job: t.field({
      type: Job,
      nullable: true,
      resolve: ({ jobId }, _, { loaders }) => (jobId === null ? null : loaders.job.load(jobId)),
    }),
    model: t.field({
      type: Model,
      nullable: true,
      resolve: ({ versionId }, _, context) => modelOf(versionId, context),
    }),
    device: t.field({
      type: Device,
      nullable: true,
      resolve: ({ deviceId }, _, { loaders }) => (deviceId === null ? null : loaders.device.load(deviceId)),
    }),
    alternatives: t.field({
      type: [Alternative],
      description: 'The winner first, then up to three that it beat; none where there was nothing to choose.',
      extensions: { listSizeMax: alternativesMax },
      resolve: async (decision, _, context) => (await textOf(decision, context)).alternatives,
    }),
  }),
})

/** Reason and alternatives are one text; whoever asks for both has it made once. */
const texts = new WeakMap<DecisionView, Promise<DecisionText>>()

function textOf(decision: DecisionView, { app }: RequestContext): Promise<DecisionText> {
  let text = texts.get(decision)
  if (!text) texts.set(decision, (text = app.decisionText(decision)))
  return text
}

async function modelOf(versionId: VersionId | null, { loaders }: RequestContext): Promise<ModelRecord | null> {
  const version = versionId === null ? null : await loaders.version.load(versionId)
  return version && loaders.model.load(version.modelId)
}
