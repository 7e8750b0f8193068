import { expect, test, vi } from 'vitest'
import type { AppContext } from '../../../src/app/context.ts'
import { LiveJobs } from '../../../src/app/live-jobs.ts'
import { describeRecovery, recoverJobs } from '../../../src/app/recovery.ts'
import type { JobId } from '../../../src/scheduler/ids.ts'
import type { JobRecord } from '../../../src/store/records.ts'

/** Jobs as a former server left them, of a model that is still here. */
function contextAfter(jobs: readonly Partial<JobRecord>[], requests: readonly object[] = []): AppContext {
  const nothingAsked = {
    sessionId: null,
    cancelRequestedAt: null,
    pauseRequestedAt: null,
    idempotencyKey: null,
  } as const
  const unfinished = jobs.map((details, index) => ({
    record: { id: index as JobId, ...nothingAsked, ...details } as Partial<JobRecord> as JobRecord,
    tasks: [],
    checkpoints: [],
  }))
  return {
    store: { opening: { unfinished }, readRequest: async (id: JobId) => JSON.stringify(requests[id]) },
    live: new LiveJobs(1),
    log: { adopt: () => {} },
    catalogue: { version: () => ({ spec: {}, manifest: { components: [] } }) },
    shell: { feed: vi.fn() },
  } as unknown as AppContext
}

test('each job is counted once: what is to pause is paused, though it was running', async () => {
  const recovered = await recoverJobs(
    contextAfter([
      { state: 'QUEUED' },
      { state: 'RUNNING' },
      { state: 'LOADING' },
      { state: 'PAUSED', pauseRequestedAt: 100 },
      { state: 'RUNNING', pauseRequestedAt: 100 },
      { state: 'QUEUED', pauseRequestedAt: 100 },
      // It was asked to go on just before the end.
      { state: 'PAUSED' },
    ]),
  )
  expect(recovered).toEqual({ waiting: 1, paused: 3, interrupted: 3, failed: 0 })
  expect(describeRecovery(recovered)).toBe(
    'Recovered 7 jobs: 1 still waiting, 3 paused, 3 interrupted, starting again.',
  )
})

test('where nothing was left over there is nothing to be told', async () => {
  expect(describeRecovery(await recoverJobs(contextAfter([])))).toBeNull()
})

test('a job announces what its request did when it was new', async () => {
  const kinds = ['textToImage', 'program', 'embedText'] as const
  const context = contextAfter(
    kinds.map((taskKind) => ({ state: 'QUEUED', taskKind })),
    [{ textToImage: { steps: 30, count: 2, width: 128, height: 64 } }, {}, { embedText: { texts: ['a', 'b', 'c'] } }],
  )
  const works: number[] = []
  context.shell.feed = (event) => {
    if (event.type === 'jobsRecovered') works.push(...event.jobs.map(({ work }) => work))
  }
  await recoverJobs(context)
  expect(works).toEqual([120, 1, 3])
})
