/** Decisions by filter: pages of the past, and the stream of those to come. */
import type { App } from '../src/app/app.ts'
import type { DecisionFilter as Filter } from '../src/scheduler/explain/decisions.ts'
import { builder } from './builder.ts'
import { type PageArguments, readPage } from './connection.ts'
import { DecisionKind } from './decision.ts'
import { decodeIdIfGiven } from './ids.ts'
import { Decision, DecisionConnection } from './nouns.ts'
import { badUserInput, requestError } from './request-error.ts'

const DecisionFilter = builder.inputType('DecisionFilter', {
  fields: (t) => ({
    kinds: t.field({ type: [DecisionKind] }),
    jobId: t.id(),
    model: t.string({ description: '`name`, whatever the version, or `name@version`.' }),
    deviceId: t.id(),
    from: t.field({ type: 'DateTime' }),
    to: t.field({ type: 'DateTime' }),
  }),
})
type FilterInput = typeof DecisionFilter.$inferInput

builder.queryField('decisions', (t) =>
  t.field({
    type: DecisionConnection,
    nullable: true,
    description: 'What was decided and why, newest first.',
    args: { first: t.arg.int(), after: t.arg.string(), filter: t.arg({ type: DecisionFilter }) },
    resolve: async (_, args, { app }) => pageOfDecisions(args, await readFilter(args.filter, app), app),
  }),
)

builder.subscriptionField('decisions', (t) =>
  t.field({
    type: Decision,
    description: 'What is decided from now on; a slow reader skips.',
    args: { filter: t.arg({ type: DecisionFilter }) },
    subscribe: async (_, args, { app }) => {
      const filter = await readFilter(args.filter, app)
      if (!filter) throw requestError('NOT_FOUND', 'filter: no such model is known here.')
      return app.decisionStream(filter)
    },
    resolve: (decision) => decision,
  }),
)

/** `filter` null: nothing can match. */
export function pageOfDecisions(args: PageArguments, filter: Filter | null, app: App) {
  return readPage(args, {
    cursors: 'decision',
    read: async (page) => (filter ? app.decisions(filter, page) : []),
    position: ({ sequence }) => sequence,
    count: async () => (filter ? app.countDecisions(filter) : 0),
  })
}

/** Null when nothing can match: a model that nobody knows. */
async function readFilter(input: FilterInput | null | undefined, app: App): Promise<Filter | null> {
  if (!input) return {}
  const jobId = decodeIdIfGiven('Job', input.jobId)
  if (jobId === null) throw badUserInput('filter.jobId', 'this is not the id of a job.')
  const deviceId = decodeIdIfGiven('Device', input.deviceId)
  if (deviceId === null) throw badUserInput('filter.deviceId', 'this is not the id of a device.')
  const versionIds = typeof input.model === 'string' ? await app.versionIds(input.model) : undefined
  if (versionIds === null) return null
  return {
    ...(input.kinds ? { kinds: input.kinds } : {}),
    ...(jobId === undefined ? {} : { jobId }),
    ...(versionIds ? { versionIds } : {}),
    ...(deviceId === undefined ? {} : { deviceId }),
    ...(typeof input.from === 'number' ? { from: input.from } : {}),
    ...(typeof input.to === 'number' ? { to: input.to } : {}),
  }
}
