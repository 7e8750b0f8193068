/**
 * Live jobs. The iterators of the use cases are handed to GraphQL as they are: they bring their own `return()`, which wakes a
 * waiting `next()`, so a client that leaves releases them at once. (An `async function*` in between would not.)
 */
import { CursorExpired } from '../src/app/errors.ts'
import type { JobEvent as JobEventRecord, JobRecord, JobState as State } from '../src/store/records.ts'
import { builder } from './builder.ts'
import type { RequestContext } from './context.ts'
import { encodeCursor, readCursor } from './cursor.ts'
import { JobEvent } from './job-event.ts'
import { JobFilter, readJobFilter } from './job-list.ts'
import { JobState } from './job-state.ts'
import { findJob } from './jobs.ts'
import { Job } from './nouns.ts'
import { badUserInput, requestError } from './request-error.ts'

builder.subscriptionFields((t) => ({
  jobEvents: t.field({
    type: JobEvent,
    description:
      "One job's ordered log, by exactly one of id and idempotencyKey: everything after the cursor first, then live, ending " +
      'after the final event. The same after a reconnect, after a server restart, and after the job has ended.',
    args: { id: t.arg.id(), idempotencyKey: t.arg.string(), after: t.arg.string() },
    subscribe: async (_, args, context) => {
      const job = await findJob(args, context)
      if (!job)
        throw requestError('NOT_FOUND', `No job ${JSON.stringify(args.id ?? args.idempotencyKey)} is known here.`)
      return context.app.jobEvents(job, readPlace('event', args.after, context))
    },
    resolve: (event) => event,
  }),
  jobChanges: t.field({
    type: JobChange,
    description: 'State changes of many jobs; `states` matches from or to.',
    args: { filter: t.arg({ type: JobFilter }), after: t.arg.string() },
    subscribe: async (_, args, context) => {
      const after = readPlace('change', args.after, context)
      if (after !== null && after < context.app.expiredSequence()) throw cursorExpired()
      const filter = await readJobFilter(args.filter, context)
      if (!filter) throw requestError('NOT_FOUND', 'filter: no such model or task is known here.')
      return untilExpired(context.app.jobChanges(filter, after))
    },
    resolve: (change) => change,
  }),
}))

const JobChange = builder
  .objectRef<{ readonly event: JobEventRecord; readonly job: JobRecord }>('JobChange')
  .implement({
    fields: (t) => ({
      cursor: t.string({ resolve: ({ event }) => encodeCursor('change', event.sequence) }),
      at: t.field({ type: 'DateTime', resolve: ({ event }) => event.at }),
      job: t.expose('job', { type: Job, description: 'As it is now.' }),
      from: t.field({ type: JobState, nullable: true, resolve: ({ event }) => event.from }),
      to: t.field({ type: JobState, resolve: ({ event }) => stateReached(event) }),
    }),
  })

function stateReached({ to, sequence }: JobEventRecord): State {
  if (to === null) throw new Error(`Event ${sequence} is no state change.`)
  return to
}

/** A reader that falls so far behind that its next change is deleted is told so, like one that comes back too late. */
function untilExpired<Change>(changes: AsyncIterableIterator<Change>): AsyncIterableIterator<Change> {
  const end = () => changes.return?.() ?? Promise.resolve({ done: true as const, value: undefined })
  return {
    next: () =>
      changes.next().catch((error: unknown) => {
        throw error instanceof CursorExpired ? cursorExpired() : error
      }),
    return: end,
    throw: end,
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

function cursorExpired() {
  return requestError(
    'CURSOR_EXPIRED',
    'after: changes after this cursor have been deleted. Read the list of jobs again, and go on from its changesCursor.',
  )
}

/** A place in the log that has been given out. One beyond the end comes from another data folder. */
function readPlace(kind: 'event' | 'change', after: string | null | undefined, { app }: RequestContext): number | null {
  const place = readCursor(kind, after)
  if (place !== null && place > app.lastSequence()) throw badUserInput('after', 'this cursor is unknown here.')
  return place
}
