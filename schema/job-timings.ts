import type { Millis } from '../src/scheduler/ids.ts'
import type { JobRecord } from '../src/store/records.ts'
import { builder } from './builder.ts'

export const JobTimings = builder.objectRef<JobRecord>('JobTimings').implement({
  description:
    'Milliseconds; null until the phase has ended. Pauses count as pausedMs and in totalMs only. After a retry they are those of the last attempt, ' +
    'and waiting includes the lost ones.',
  fields: (t) => ({
    queueMs: t.float({
      nullable: true,
      resolve: ({ createdAt, loadingAt, startedAt, finishedAt, pausedMs, pausedWaitingMs }) => {
        const begunAt = loadingAt ?? startedAt
        // One that ended without having begun had all its pauses while it waited.
        return between(createdAt, begunAt ?? finishedAt, begunAt === null ? pausedMs : pausedWaitingMs)
      },
    }),
    loadMs: t.float({ nullable: true, resolve: ({ loadingAt, startedAt }) => between(loadingAt, startedAt) }),
    runMs: t.float({
      nullable: true,
      description: 'From its start until only postprocessing is left.',
      resolve: ({ startedAt, postprocessingAt, finishedAt, pausedMs, pausedWaitingMs }) =>
        between(startedAt, postprocessingAt ?? finishedAt, pausedMs - pausedWaitingMs),
    }),
    pausedMs: t.float({
      nullable: true,
      description: 'All pauses that are over, together.',
      resolve: ({ pausedMs, finishedAt }) => (pausedMs > 0 || finishedAt !== null ? pausedMs : null),
    }),
    postprocessMs: t.float({
      nullable: true,
      resolve: ({ postprocessingAt, finishedAt }) => between(postprocessingAt, finishedAt),
    }),
    totalMs: t.float({ nullable: true, resolve: ({ createdAt, finishedAt }) => between(createdAt, finishedAt) }),
    timeToFirstPartialMs: t.float({
      nullable: true,
      description: 'From submission to the first text, value or preview.',
      resolve: ({ createdAt, firstPartialAt }) => between(createdAt, firstPartialAt),
    }),
  }),
})

function between(from: Millis | null, to: Millis | null, lessMs = 0): number | null {
  return from === null || to === null ? null : Math.max(0, to - from - lessMs)
}
