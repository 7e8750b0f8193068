import type { App, NamedSetting as Setting } from '../src/app/app.ts'
import { builder } from './builder.ts'

type ServerView = ReturnType<App['server']>

const NamedSetting = builder.objectRef<Setting>('NamedSetting').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    value: t.exposeString('value'),
    description: t.exposeString('description'),
  }),
})

const StorageInfo = builder.objectRef<ServerView['storage']>('StorageInfo').implement({
  fields: (t) => ({
    databaseBytes: t.expose('databaseBytes', { type: 'ByteCount' }),
    walBytes: t.expose('walBytes', { type: 'ByteCount' }),
  }),
})

const ServerInfo = builder.objectRef<ServerView>('ServerInfo').implement({
  fields: (t) => ({
    version: t.exposeString('version'),
    now: t.expose('now', { type: 'DateTime' }),
    startedAt: t.expose('startedAt', { type: 'DateTime' }),
    ready: t.exposeBoolean('ready', { description: 'Durable and accepting; models may be cold.' }),
    recoveredJobs: t.exposeInt('recoveredJobs', { description: 'Jobs that this start found unfinished.' }),
    policies: t.expose('policies', { type: [NamedSetting] }),
    limits: t.expose('limits', { type: [NamedSetting] }),
    storage: t.expose('storage', { type: StorageInfo, nullable: true }),
  }),
})

builder.queryField('server', (t) =>
  t.field({ type: ServerInfo, nullable: true, resolve: (_, __, { app }) => app.server() }),
)
