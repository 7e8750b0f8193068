import { NotFound } from '../src/app/errors.ts'
import type { SessionRecord } from '../src/store/records.ts'
import { builder } from './builder.ts'
import { resultUnion } from './errors.ts'
import { decodeId } from './ids.ts'
import { Session } from './nouns.ts'
import { PriorityClass } from './priority-class.ts'

const OpenSessionInput = builder.inputType('OpenSessionInput', {
  fields: (t) => ({
    name: t.string(),
    priorityClass: t.field({ type: PriorityClass, required: true, defaultValue: 'interactive' }),
    weight: t.float({ required: true, defaultValue: 1, description: 'Its share against other sessions.' }),
    model: t.string({ description: 'The model its jobs will mostly use: a hint.' }),
    idleTimeoutSeconds: t.int({ required: true, defaultValue: 1800 }),
  }),
})

const OpenSessionSuccess = builder
  .objectRef<{ session: SessionRecord }>('OpenSessionSuccess')
  .implement({ fields: (t) => ({ session: t.expose('session', { type: Session }) }) })
const CloseSessionSuccess = builder
  .objectRef<{ session: SessionRecord }>('CloseSessionSuccess')
  .implement({ fields: (t) => ({ session: t.expose('session', { type: Session }) }) })

builder.mutationFields((t) => ({
  openSession: t.field({
    type: resultUnion('OpenSession', OpenSessionSuccess, ['InvalidInput', 'NotFound', 'Overloaded']),
    nullable: true,
    args: { input: t.arg({ type: OpenSessionInput, required: true }) },
    resolve: async (_, { input }, { app }) => {
      const result = await app.openSession({ ...input, name: input.name ?? null, model: input.model ?? null })
      return 'kind' in result ? result : { session: result }
    },
  }),
  closeSession: t.field({
    type: resultUnion('CloseSession', CloseSessionSuccess, ['NotFound', 'Overloaded']),
    nullable: true,
    description: 'Its jobs go on; it takes no new ones.',
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_, args, { app }) => {
      const id = decodeId('Session', args.id)
      const result = id === null ? new NotFound('Session', args.id) : await app.closeSession(id)
      return 'kind' in result ? result : { session: result }
    },
  }),
}))
