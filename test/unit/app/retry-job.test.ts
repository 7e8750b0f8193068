import { expect, test } from 'vitest'
import type { AppContext } from '../../../src/app/context.ts'
import { Conflict } from '../../../src/app/errors.ts'
import { retryJob } from '../../../src/app/retry-job.ts'
import { readConfig } from '../../../src/config/config.ts'
import type { JobId } from '../../../src/scheduler/ids.ts'
import type { ArtifactId, JobRecord, NewJob, TaskKind } from '../../../src/store/records.ts'
import { artifactRecord } from '../../support/artifacts.ts'
import { pictureGraph, pictureModel } from '../../support/picture-models.ts'

const stored = (id: number) => ({ artifactId: id, sha256: 'a'.repeat(64), mimeType: 'image/png', sizeBytes: 4 })
const request = JSON.stringify({ program: { name: 'p', parameters: {}, artifacts: [stored(1), stored(2), stored(1)] } })

/** One failed job with inputs 1 and 2, of which only `kept` are still here. */
function contextWith(kept: readonly number[], written: NewJob[]): AppContext {
  return contextOf('program', request, { task: 'program', graph: [], components: [] }, kept, written)
}

function contextOf(
  taskKind: TaskKind,
  keptRequest: string,
  manifest: object,
  kept: readonly number[],
  written: NewJob[],
  settings: Readonly<Record<string, string>> = {},
): AppContext {
  let taskId = 10
  const old = {
    id: 1,
    taskKind,
    state: 'FAILED',
    versionId: 1,
    sessionId: null,
    class: 'batch',
  } as JobRecord
  const context = {
    config: readConfig(settings),
    clock: { now: () => 5 },
    live: {
      record: (id: JobId) => (id === 1 ? old : null),
      get: () => null,
      count: 0,
      whilePending: (_: unknown, work: unknown) => work,
      add: () => {},
    },
    catalogue: {
      version: () => ({ spec: {}, manifest, model: { id: 1 }, version: { id: 1 } }),
    },
    shell: { draining: false, feed: () => {} },
    ids: { job: () => 2 as JobId, task: () => taskId++ },
    log: { submitted: () => {} },
    artifacts: {
      refusal: () => null,
      find: async (id: ArtifactId) => (kept.includes(id) ? artifactRecord({ id }) : null),
    },
    store: {
      readRequest: async () => keptRequest,
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

const previews = { everySteps: 2, maxWidth: 64 }
const terms = { format: 'webp', safety: { policy: 'off', threshold: 0.8 }, previews }
const textToImage = { prompt: 'an apple', seed: 9, count: 2, upscale: 1 }
const painting = JSON.stringify({ textToImage, terms })

test('a job of pictures is made again with the seed and the previews it had', async () => {
  const written: NewJob[] = []
  const context = contextOf('textToImage', painting, pictureModel(), [], written, { HEARTH_SAFETY_POLICY: 'off' })
  await retryJob(context, 1 as JobId)
  expect(JSON.parse(written[0]?.request ?? '')).toMatchObject({ textToImage, terms: { previews } })
  const nodes = written[0]?.tasks.map(({ node, item, after }) => ({ node, item, after }))
  expect(nodes).toEqual([
    { node: 'encode', item: 0, after: [] },
    { node: 'denoise', item: 0, after: [10] },
    { node: 'denoise', item: 1, after: [10] },
    { node: 'decode', item: 0, after: [11] },
    { node: 'decode', item: 1, after: [12] },
    { node: 'write', item: 0, after: [13] },
    { node: 'write', item: 1, after: [14] },
  ])
})

test('a policy that has become stricter holds for a job that is made again', async () => {
  const written: NewJob[] = []
  await retryJob(contextOf('textToImage', painting, pictureModel(), [], written), 1 as JobId)
  expect(JSON.parse(written[0]?.request ?? '')).toMatchObject({
    terms: { safety: { policy: 'block', threshold: 0.6 } },
  })
  expect(written[0]?.tasks.filter(({ node }) => node === 'check')).toHaveLength(2)

  const unchecked = pictureModel({ graph: pictureGraph.filter(({ node }) => node !== 'check') })
  const refused = await retryJob(contextOf('textToImage', painting, unchecked, [], written), 1 as JobId)
  expect(refused).toBeInstanceOf(Conflict)
})
