import { expect, test } from 'vitest'
import { isFinal, watch } from '../support/job-log.ts'
import { startServer } from '../support/servers.ts'
import { noop, submitAll } from '../support/submissions.ts'
import { until } from '../support/until.ts'
import { listWorkers } from '../support/workers.ts'

test('workers that have served long are replaced while hundreds of jobs wait, and no job notices', async () => {
  const hearth = await startServer({
    environment: { HEARTH_RECYCLE_AFTER_TASKS: '20', HEARTH_RECYCLE_AT_LATEST: '40' },
  })
  const inputs = Array.from({ length: 400 }, (_, value) => noop({ value, steps: 10, stepMs: 10 }))
  const logs = (await submitAll(hearth, inputs)).map((id) => watch(hearth, id))
  for (const log of logs) {
    expect((await log.final()).__typename).toBe('JobSucceeded')
    expect(log.events.filter(isFinal)).toHaveLength(1)
    // What had begun was never begun again.
    expect(log.types).not.toContain('JobRequeued')
  }
  await until('the place was filled anew', async () =>
    (await listWorkers(hearth)).some(({ engine, restartCount }) => engine === 'none' && restartCount > 0),
  )
})
