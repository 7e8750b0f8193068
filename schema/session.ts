import type { App } from '../src/app/app.ts'
import { builder } from './builder.ts'
import { readPage } from './connection.ts'
import { encodeId } from './ids.ts'
import { JobConnection, JobFilter, pageOfJobs } from './job-list.ts'
import { Node } from './node.ts'
import { Model, Session, SessionConnection } from './nouns.ts'
import { PriorityClass } from './priority-class.ts'

builder.objectType(Session, {
  interfaces: [Node],
  description: 'Jobs that belong together: one user, one weight, defaults for each.',
  fields: (t) => ({
    id: t.id({ resolve: (session) => encodeId('Session', session.id) }),
    name: t.exposeString('name', { nullable: true }),
    state: t.field({ type: SessionState, resolve: ({ closedAt }) => (closedAt === null ? 'OPEN' : 'CLOSED') }),
    priorityClass: t.field({ type: PriorityClass, resolve: (session) => session.class }),
    weight: t.exposeFloat('weight'),
    model: t.field({
      type: Model,
      nullable: true,
      resolve: ({ modelId }, _, { loaders }) => (modelId === null ? null : loaders.model.load(modelId)),
    }),
    jobs: t.field({
      type: JobConnection,
      args: { first: t.arg.int(), after: t.arg.string(), filter: t.arg({ type: JobFilter }) },
      resolve: ({ id }, args, context) => pageOfJobs(args, { sessionId: id }, context),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime' }),
    closedAt: t.expose('closedAt', { type: 'DateTime', nullable: true }),
  }),
})

const SessionState = builder.enumType('SessionState', { values: ['OPEN', 'CLOSED'] as const })

const SessionFilter = builder.inputType('SessionFilter', {
  fields: (t) => ({
    states: t.field({ type: [SessionState] }),
    priorityClass: t.field({ type: PriorityClass }),
  }),
})

builder.queryField('sessions', (t) =>
  t.field({
    type: SessionConnection,
    nullable: true,
    args: { first: t.arg.int(), after: t.arg.string(), filter: t.arg({ type: SessionFilter }) },
    resolve: (_, args, { app }) => {
      const filter = sessionFilter(args.filter ?? {})
      return readPage(args, {
        cursors: 'session',
        read: (page) => app.sessions(filter, page),
        position: (session) => session.id,
        count: () => app.countSessions(filter),
      })
    },
  }),
)

function sessionFilter({ states, priorityClass }: typeof SessionFilter.$inferInput): Parameters<App['sessions']>[0] {
  return { ...(states ? { states } : {}), ...(priorityClass ? { class: priorityClass } : {}) }
}
