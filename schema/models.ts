import type { ModelFilter as Filter } from '../src/app/app.ts'
import { builder } from './builder.ts'
import { readPage } from './connection.ts'
import { decodeIdIfGiven } from './ids.ts'
import { Model, ModelConnection } from './nouns.ts'
import { badUserInput } from './request-error.ts'

const ModelFilter = builder.inputType('ModelFilter', {
  fields: (t) => ({
    name: t.string(),
    task: t.string(),
    deviceId: t.id({ description: 'Only models that are resident there.' }),
    pinned: t.boolean({ description: 'Only models that are pinned, or only those that are not.' }),
  }),
})

builder.queryFields((t) => ({
  model: t.field({
    type: Model,
    nullable: true,
    args: { name: t.arg.string({ required: true }) },
    resolve: (_, { name }, { app }) => app.model(name),
  }),
  models: t.field({
    type: ModelConnection,
    nullable: true,
    args: { first: t.arg.int(), after: t.arg.string(), filter: t.arg({ type: ModelFilter }) },
    resolve: (_, args, { app }) => {
      const filter = modelFilter(args.filter ?? {})
      return readPage(args, {
        cursors: 'model',
        read: (page) => app.models(filter, page),
        position: (model) => model.id,
        count: () => app.countModels(filter),
      })
    },
  }),
}))

function modelFilter({ name, task, deviceId, pinned }: typeof ModelFilter.$inferInput): Filter {
  const device = decodeIdIfGiven('Device', deviceId)
  if (device === null) throw badUserInput('filter.deviceId', 'this is not the id of a device.')
  return {
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof task === 'string' ? { task } : {}),
    ...(device === undefined ? {} : { deviceId: device }),
    ...(typeof pinned === 'boolean' ? { pinned } : {}),
  }
}
