import { expect, test } from 'vitest'
import type { JobRecord } from '../../../src/store/records.ts'
import { ask } from '../../support/ask-schema.ts'
import { FakeApp, textModel } from '../../support/fake-app.ts'

/** Milliseconds after its submission. */
async function timingsOf(times: Partial<JobRecord>): Promise<unknown> {
  const app = new FakeApp()
  await app.submitJobs([{ model: textModel.name, task: { generateText: { prompt: 'Once' } } }], 'single')
  const job = app.allJobs[0]!
  const after = (ms: number | null | undefined) => (typeof ms === 'number' ? job.createdAt + ms : null)
  Object.assign(job, times, {
    loadingAt: after(times.loadingAt),
    startedAt: after(times.startedAt),
    postprocessingAt: after(times.postprocessingAt),
    finishedAt: after(times.finishedAt),
  })
  const { data } = await ask(
    app,
    '{ jobs { nodes { timings { queueMs loadMs runMs pausedMs postprocessMs totalMs } } } }',
  )
  return (data as { jobs: { nodes: { timings: unknown }[] } }).jobs.nodes[0]?.timings
}

test('phases that are not over have no times', async () => {
  expect(await timingsOf({})).toEqual({
    queueMs: null,
    loadMs: null,
    runMs: null,
    pausedMs: null,
    postprocessMs: null,
    totalMs: null,
  })
})

test('the phases of a job that was never paused add up', async () => {
  expect(await timingsOf({ loadingAt: 10, startedAt: 30, postprocessingAt: 80, finishedAt: 100 })).toEqual({
    queueMs: 10,
    loadMs: 20,
    runMs: 50,
    pausedMs: 0,
    postprocessMs: 20,
    totalMs: 100,
  })
})

test('a pause while it waits is no waiting, and one while it runs is no running', async () => {
  const times = { loadingAt: 510, startedAt: 530, finishedAt: 1600, pausedMs: 1500, pausedWaitingMs: 500 }
  expect(await timingsOf(times)).toMatchObject({ queueMs: 10, loadMs: 20, runMs: 70, pausedMs: 1500, totalMs: 1600 })
})

test('a job that is cancelled while it is paused in the queue has waited only until then', async () => {
  expect(await timingsOf({ finishedAt: 1000, pausedMs: 990 })).toMatchObject({
    queueMs: 10,
    runMs: null,
    pausedMs: 990,
  })
})
