import { expect, test } from 'vitest'
import { watch } from '../support/job-log.ts'
import { startServer } from '../support/servers.ts'
import { noop, submitAll } from '../support/submissions.ts'

const neighbour = (value: number) => noop({ value, steps: 20, stepMs: 10 })

test('a job that hangs is found out, and its neighbours go on', async () => {
  // Each hang takes seconds to be told from a long step, so one alone is enough for the verdict here.
  const hearth = await startServer({ environment: { HEARTH_QUARANTINE_DEATHS: '1' } })
  const ids = await submitAll(hearth, [neighbour(0), noop({ steps: 10, stepMs: 10, hangAtStep: 3 }), neighbour(1)])
  const logs = ids.map((id) => watch(hearth, id))
  const ends = await Promise.all(logs.map((log) => log.final()))
  expect(ends.map(({ __typename }) => __typename)).toEqual(['JobSucceeded', 'JobFailed', 'JobSucceeded'])
  expect(ends[1]).toMatchObject({ error: { code: 'QUARANTINED' } })
})
