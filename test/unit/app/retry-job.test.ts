import { expect, test } from 'vitest'
import type { AppContext } from '../../../src/app/context.ts'
import { Conflict } from '../../../src/app/errors.ts'
import { retryJob } from '../../../src/app/retry-job.ts'
import type { JobId } from '../../../src/scheduler/ids.ts'
import type { ArtifactId, JobRecord, NewJob } from '../../../src/store/records.ts'
import { artifactRecord } from '../../support/artifacts.ts'

const stored = (id: number) => ({ artifactId: id, sha256: 'a'.repeat(64), mimeType: 'image/png', sizeBytes: 4 })
const request = JSON.stringify({ program: { name: 'p', parameters: {}, artifacts: [stored(1), stored(2), stored(1)] } })

/** One failed job with inputs 1 and 2, of which only `kept` are still here. */
function contextWith(kept: readonly number[], written: NewJob[]): AppContext {
  const old = {
    id: 1,
    taskKind: 'program',
    state: 'FAILED',
    versionId: 1,
    sessionId: null,
    class: 'batch',
  } as JobRecord
  const context = {
    config: { HEARTH_QUEUE_LIMIT: 10 },
    clock: { now: () => 5 },
    live: {
      record: (id: JobId) => (id === 1 ? old : null),
      get: () => null,
      count: 0,
      whilePending: (_: unknown, work: unknown) => work,
      add: () => {},
    },
    catalogue: {
      version: () => ({ spec: {}, manifest: { graph: [] }, model: { id: 1 }, version: { id: 1 } }),
    },
    shell: { draining: false, feed: () => {} },
    ids: { job: () => 2 as JobId },
    log: { submitted: () => {} },
    artifacts: {
      refusal: () => null,
      find: async (id: ArtifactId) => (kept.includes(id) ? artifactRecord({ id }) : null),
    },
    store: {
      readRequest: async () => request,
      submitJobs: async (jobs: readonly NewJob[]) => {
        written.push(...jobs)
        return { kind: 'accepted', jobs: jobs.map(({ record }) => ({ record, isNew: true })) }
      },
    },
  }
  return context as unknown as AppContext
}

test('a retried job takes the same artifacts, and holds each once', async () => {
  const written: NewJob[] = []
  const job = await retryJob(contextWith([1, 2], written), 1 as JobId)
  expect(job).toMatchObject({ id: 2, retryOf: 1 })
  expect(written).toMatchObject([{ request, artifactIds: [1, 2] }])
})

test('a job whose input is gone cannot be retried, and is told which', async () => {
  const written: NewJob[] = []
  const answer = await retryJob(contextWith([1], written), 1 as JobId)
  expect(answer).toBeInstanceOf(Conflict)
  expect((answer as Conflict).message).toBe(
    'Input 2 of 2 that the job took as an artifact is no longer kept. Upload it again, and submit the job with the new id.',
  )
  expect(written).toEqual([])
})
