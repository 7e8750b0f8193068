import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { isFinal, itemsOf, type JobLog, watch } from '../support/job-log.ts'
import { embeddings, itemsPerStep, noop, submit, submitAll, text } from '../support/submissions.ts'
import { until } from '../support/until.ts'
import { killWorker, listWorkers, workerOf } from '../support/workers.ts'

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

async function attemptsOf(id: string): Promise<number> {
  return (
    await hearth.ask<{ job: { attemptCount: number } }>('query ($id: ID!) { job(id: $id) { attemptCount } }', { id })
  ).job.attemptCount
}
const numberOfFinals = (log: JobLog) => log.events.filter(isFinal).length

test('twenty jobs whose worker is killed all run again and succeed, on the spare that stood ready', async () => {
  const standing = await until('a worker and its spare stand ready', async () => {
    const ready = (await listWorkers(hearth)).filter(({ engine, state }) => engine === 'none' && state === 'READY')
    return ready.length > 1 && ready.map(({ pid }) => pid)
  })
  const ids = await submitAll(
    hearth,
    Array.from({ length: 20 }, (_, value) => noop({ value, steps: 30, stepMs: 10 })),
  )
  const dying = await until('all twenty run', async () =>
    (await listWorkers(hearth)).find(({ runningJobs }) => runningJobs.length === 20),
  )
  killWorker(dying)
  const logs = ids.map((id) => watch(hearth, id))
  const requeued = await Promise.all(logs.map((log) => log.event('JobRequeued')))
  for (const event of requeued) expect(event).toMatchObject({ error: { code: 'WORKER_LOST', retryable: true } })
  const again = await until('a job runs again', async () =>
    (await listWorkers(hearth)).find(({ runningJobs }) => runningJobs.length > 0),
  )
  expect(standing.filter((pid) => pid !== dying.pid)).toContain(again.pid)
  for (const log of logs) {
    expect((await log.final()).__typename).toBe('JobSucceeded')
    expect(numberOfFinals(log)).toBe(1)
    const starts = log.events.filter(({ __typename }) => __typename === 'JobStarted')
    expect(starts.map(({ attempt }) => attempt)).toEqual([1, 2])
  }
  expect(await Promise.all(ids.map(attemptsOf))).toEqual(ids.map(() => 2))
})

test('a text whose worker is killed begins again, and its pieces still make up the output', async () => {
  const log = watch(hearth, await submit(hearth, text({ prompt: 'Write a story about the sea.', maxTokens: 60 })))
  const { jobId } = await log.reaches('some text', () => log.text.length > 40)
  killWorker(await workerOf(hearth, jobId))
  const output = await log.output()
  expect(log.types).toContain('JobRequeued')
  expect(log.text).toBe(output.text)
  const fresh = watch(hearth, jobId)
  await fresh.final()
  expect(fresh.text).toBe(output.text)
})

test('the items of a job whose worker was killed are those of its last attempt', async () => {
  const log = watch(hearth, await submit(hearth, noop({ steps: 100, stepMs: 10, items: 10 * itemsPerStep })))
  const { jobId } = await log.reaches('some items', () => itemsOf(log.events).length > 10)
  killWorker(await workerOf(hearth, jobId))
  await log.final()
  expect(itemsOf(log.events)).toEqual(Array.from({ length: 10 * itemsPerStep }, (_, item) => item))
})

test('embeddings whose worker is killed come out as they would have', async () => {
  const texts = Array.from({ length: 60 }, (_, index) => `A long sentence, number ${index}. `.repeat(8))
  const undisturbed = await watch(hearth, await submit(hearth, embeddings(texts))).output()
  const log = watch(hearth, await submit(hearth, embeddings(texts)))
  const { jobId } = await log.event('JobStarted')
  killWorker(await workerOf(hearth, jobId))
  const output = await log.output()
  expect(log.types).toContain('JobRequeued')
  for (const [row, vector] of output.embeddings!.entries()) {
    for (const [column, value] of vector.entries())
      expect(Math.abs(value - undisturbed.embeddings![row]![column]!)).toBeLessThan(1e-5)
  }
})

test('an idle worker that is killed is replaced before anybody notices', async () => {
  await watch(hearth, await submit(hearth, noop())).final()
  const before = await listWorkers(hearth)
  for (const worker of before.filter(({ engine }) => engine === 'none')) killWorker(worker)
  const log = watch(hearth, await submit(hearth, noop({ value: 'still here' })))
  expect((await log.final()).__typename).toBe('JobSucceeded')
  const pids = new Set(before.map(({ pid }) => pid))
  await until('new workers have come', async () =>
    (await listWorkers(hearth)).some(({ engine, pid }) => engine === 'none' && !pids.has(pid)),
  )
})

test('waiting jobs do not notice that a worker was killed', async () => {
  const ids = await submitAll(
    hearth,
    Array.from({ length: 300 }, (_, value) => noop({ value, steps: 4, stepMs: 10 })),
  )
  const first = watch(hearth, ids[0]!)
  await first.event('JobStarted')
  killWorker(await workerOf(hearth, ids[0]!))
  const logs = ids.map((id) => watch(hearth, id))
  for (const log of logs) {
    expect((await log.final()).__typename).toBe('JobSucceeded')
    expect(numberOfFinals(log)).toBe(1)
  }
  expect(await attemptsOf(ids.at(-1)!)).toBe(1)
})

test('a cancellation that meets a dead worker still cancels', async () => {
  const id = await submit(hearth, noop({ steps: 100_000, stepMs: 5 }))
  const log = watch(hearth, id)
  await log.event('JobStarted')
  killWorker(await workerOf(hearth, id))
  await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id })
  expect((await log.final()).__typename).toBe('JobCancelled')
})
