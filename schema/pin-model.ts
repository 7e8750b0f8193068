import { NotFound } from '../src/app/errors.ts'
import type { Prewarming } from '../src/app/prewarm-model.ts'
import type { ModelRecord } from '../src/store/records.ts'
import { builder } from './builder.ts'
import { resultUnion } from './errors.ts'
import { decodeIdIfGiven } from './ids.ts'
import { Model } from './nouns.ts'

const PinModelInput = builder.inputType('PinModelInput', {
  fields: (t) => ({
    model: t.string({ required: true, description: '`name`, or `name@version`.' }),
    deviceId: t.id({
      description:
        'Default: any device; unpinned everywhere. Unpinned on a device, a pin on any device that is kept there is over too.',
    }),
    pinned: t.boolean({ required: true, defaultValue: true }),
  }),
})
const PrewarmModelInput = builder.inputType('PrewarmModelInput', {
  fields: (t) => ({
    model: t.string({ required: true, description: '`name`, or `name@version`.' }),
    withinSeconds: t.float({ required: true, defaultValue: 15, description: 'How soon it will be asked for.' }),
    probability: t.float({ required: true, defaultValue: 1, description: 'How likely that is, 0 to 1.' }),
  }),
})

const PinModelSuccess = builder
  .objectRef<{ model: ModelRecord }>('PinModelSuccess')
  .implement({ fields: (t) => ({ model: t.expose('model', { type: Model }) }) })
const PrewarmModelSuccess = builder.objectRef<Prewarming>('PrewarmModelSuccess').implement({
  fields: (t) => ({
    accepted: t.exposeBoolean('accepted', { description: 'The model is there, or is loaded now.' }),
    reason: t.exposeString('reason', {
      description: 'What comes of the hint, also where memory has to become free first.',
    }),
  }),
})

builder.mutationFields((t) => ({
  pinModel: t.field({
    type: resultUnion('PinModel', PinModelSuccess, ['NotFound', 'Conflict', 'Overloaded', 'ModelTooLarge']),
    nullable: true,
    description: 'What is pinned is loaded and never evicted, until it is unpinned, also after a restart.',
    args: { input: t.arg({ type: PinModelInput, required: true }) },
    resolve: async (_, { input }, { app }) => {
      const deviceId = decodeIdIfGiven('Device', input.deviceId)
      if (deviceId === null) return new NotFound('Device', input.deviceId ?? '')
      const result = await app.pinModel(input.model, deviceId ?? null, input.pinned)
      return 'kind' in result ? result : { model: result }
    },
  }),
  prewarmModel: t.field({
    type: resultUnion('PrewarmModel', PrewarmModelSuccess, ['InvalidInput', 'NotFound', 'Overloaded']),
    nullable: true,
    description: 'A hint: this will be asked for soon.',
    args: { input: t.arg({ type: PrewarmModelInput, required: true }) },
    resolve: (_, { input }, { app }) => app.prewarmModel(input),
  }),
}))
