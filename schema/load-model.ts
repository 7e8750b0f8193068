import { InvalidInput, NotFound } from '../src/app/errors.ts'
import type { ModelRecord } from '../src/store/records.ts'
import { builder } from './builder.ts'
import { resultUnion } from './errors.ts'
import { decodeIdIfGiven } from './ids.ts'
import { Model } from './nouns.ts'

const LoadModelInput = builder.inputType('LoadModelInput', {
  fields: (t) => ({
    model: t.string({ required: true, description: '`name`, or `name@version`.' }),
    deviceId: t.id({ description: 'Default: where it fits best.' }),
    component: t.string({ description: 'Default: all.' }),
  }),
})
const UnloadModelInput = builder.inputType('UnloadModelInput', {
  fields: (t) => ({
    model: t.string({ required: true }),
    deviceId: t.id({ description: 'Default: everywhere.' }),
  }),
})

const LoadModelSuccess = builder
  .objectRef<{ model: ModelRecord }>('LoadModelSuccess')
  .implement({ fields: (t) => ({ model: t.expose('model', { type: Model }) }) })
const UnloadModelSuccess = builder
  .objectRef<{ model: ModelRecord }>('UnloadModelSuccess')
  .implement({ fields: (t) => ({ model: t.expose('model', { type: Model }) }) })

const loadErrors = ['InvalidInput', 'NotFound', 'Conflict', 'Overloaded', 'ModelTooLarge'] as const

builder.mutationFields((t) => ({
  loadModel: t.field({
    type: resultUnion('LoadModel', LoadModelSuccess, loadErrors),
    nullable: true,
    description: 'Answers when loading is intended; modelEvents tells when it has happened.',
    args: { input: t.arg({ type: LoadModelInput, required: true }) },
    resolve: async (_, { input }, { app }) => {
      const deviceId = decodeIdIfGiven('Device', input.deviceId)
      if (deviceId === null) {
        const message = `${JSON.stringify(input.deviceId)} is not the id of a device.`
        return new InvalidInput([{ path: 'deviceId', message }])
      }
      const result = await app.loadModel(input.model, deviceId ?? null, input.component ?? null)
      return 'kind' in result ? result : { model: result }
    },
  }),
  unloadModel: t.field({
    type: resultUnion('UnloadModel', UnloadModelSuccess, ['NotFound', 'Conflict', 'Overloaded']),
    nullable: true,
    description: 'Waits for running tasks.',
    args: { input: t.arg({ type: UnloadModelInput, required: true }) },
    resolve: async (_, { input }, { app }) => {
      const deviceId = decodeIdIfGiven('Device', input.deviceId)
      if (deviceId === null) return new NotFound('Device', input.deviceId ?? '')
      const result = await app.unloadModel(input.model, deviceId ?? null)
      return 'kind' in result ? result : { model: result }
    },
  }),
}))
