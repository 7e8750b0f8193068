import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { noop, submit, submitAll } from '../support/submissions.ts'
import { workerOf } from '../support/workers.ts'

let hearth: Hearth
beforeAll(async () => {
  // One death alone is enough for the verdict here.
  hearth = await startHearth({ environment: { HEARTH_QUARANTINE_DEATHS: '1' } })
})

afterAll(() => hearth.stop())

const neighbour = (value: number) => noop({ value, steps: 20, stepMs: 10 })

test('a job that hangs is found out, and its neighbours go on', async () => {
  const ids = await submitAll(hearth, [neighbour(0), noop({ steps: 10, stepMs: 10, hangAtStep: 3 }), neighbour(1)])
  const logs = ids.map((id) => watch(hearth, id))
  const ends = await Promise.all(logs.map((log) => log.final()))
  expect(ends.map(({ __typename }) => __typename)).toEqual(['JobSucceeded', 'JobFailed', 'JobSucceeded'])
  expect(ends[1]).toMatchObject({ error: { code: 'QUARANTINED' } })
})

test('a worker that is stopped from outside is taken for hung, and its jobs run again', async () => {
  // They last long enough to be there still when their worker is stopped.
  const long = (value: number) => noop({ value, steps: 150, stepMs: 10 })
  const ids = await submitAll(hearth, [long(0), long(1)])
  const logs = ids.map((id) => watch(hearth, id))
  await logs[0]!.event('JobStarted')
  process.kill((await workerOf(hearth, ids[0]!)).pid, 'SIGSTOP')
  for (const log of logs) {
    expect((await log.final()).__typename).toBe('JobSucceeded')
    expect(log.types).toContain('JobRequeued')
  }
})

test('a program that waits for as long as it said does not hang', async () => {
  const log = watch(hearth, await submit(hearth, noop({ steps: 1, stepMs: 1800 })))
  expect((await log.final()).__typename).toBe('JobSucceeded')
  expect(log.types).not.toContain('JobRequeued')
})
