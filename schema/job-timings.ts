import type { Millis } from '../src/scheduler/ids.ts'
import type { JobRecord } from '../src/store/records.ts'
import { builder } from './builder.ts'

export const JobTimings = builder.objectRef<JobRecord>('JobTimings').implement({
  description:
    'Milliseconds; null until the phase has ended. After a retry they are those of the last attempt, and waiting includes the lost ones.',
  fields: (t) => ({
    queueMs: t.float({
      nullable: true,
      resolve: ({ createdAt, loadingAt, startedAt, finishedAt }) =>
        between(createdAt, loadingAt ?? startedAt ?? finishedAt),
    }),
    loadMs: t.float({ nullable: true, resolve: ({ loadingAt, startedAt }) => between(loadingAt, startedAt) }),
    runMs: t.float({ nullable: true, resolve: ({ startedAt, finishedAt }) => between(startedAt, finishedAt) }),
    pausedMs: t.float({ nullable: true, resolve: () => null }),
    postprocessMs: t.float({ nullable: true, resolve: () => null }),
    totalMs: t.float({ nullable: true, resolve: ({ createdAt, finishedAt }) => between(createdAt, finishedAt) }),
    timeToFirstPartialMs: t.float({
      nullable: true,
      description: 'From submission to the first text, value or step.',
      resolve: ({ createdAt, firstPartialAt }) => between(createdAt, firstPartialAt),
    }),
  }),
})

function between(from: Millis | null, to: Millis | null): number | null {
  return from === null || to === null ? null : Math.max(0, to - from)
}
