/** A CPU device whose budget is a bound: what is too large for it fails alone in its worker, and its threads stay on its cores. */
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { noop, submit, submitAll } from '../support/submissions.ts'

const mib = 1024 * 1024

let hearth: Hearth
beforeAll(async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'hearth-devices-')), 'devices.json')
  await writeFile(file, JSON.stringify([{ kind: 'cpu', name: 'small', cores: [0], memoryLimitBytes: 400 * mib }]))
  hearth = await startHearth({ environment: { HEARTH_DEVICES: file, HEARTH_THREADS_PER_WORKER: '2' } })
})
afterAll(() => hearth.stop())

test.runIf(process.platform === 'linux')(
  'a step that is too large is taken apart, and no job of it is lost',
  async () => {
    // The model is there then, so that those who come together are given to its worker together: they share a step, and do not fit into memory.
    expect((await watch(hearth, await submit(hearth, noop())).final()).__typename).toBe('JobSucceeded')
    const ids = await submitAll(
      hearth,
      Array.from({ length: 4 }, () => noop({ steps: 2, stepBytes: 180 * mib })),
    )
    for (const id of ids) expect((await watch(hearth, id).final()).__typename).toBe('JobSucceeded')
    const { decisions } = await hearth.ask<{ decisions: { nodes: { reason: string }[] } }>(
      '{ decisions(first: 50, filter: { kinds: [SET_BATCH_LIMIT] }) { nodes { reason } } }',
    )
    expect(decisions.nodes.map(({ reason }) => reason).join('\n')).toContain('did not fit into memory')
  },
)

test.runIf(process.platform === 'linux')(
  'a job that is too large alone is tried with more and more room, and then fails with the numbers',
  async () => {
    const log = watch(hearth, await submit(hearth, noop({ stepBytes: 4000 * mib })))
    const last = await log.final()
    expect(last.error).toMatchObject({ code: 'OUT_OF_MEMORY', retryable: true })
    expect(last.error?.message).toMatch(/The device has 400 MiB to give, of which \d+ MiB were free\.$/)
    const tries = log.events.filter(({ __typename }) => __typename === 'JobRequeued')
    expect(tries.map(({ error }) => error?.code)).toEqual(tries.map(() => 'OUT_OF_MEMORY'))
    expect(tries.at(-1)?.error?.message).toContain('runs again after a pause')
    expect((await watch(hearth, await submit(hearth, noop())).final()).__typename).toBe('JobSucceeded')
  },
)

test.runIf(process.platform === 'linux')('all threads of a worker stay on the cores of its device', async () => {
  const { workers } = await hearth.ask<{ workers: { pid: number; engine: string }[] }>('{ workers { pid engine } }')
  for (const { pid } of workers) {
    for (const thread of await readdir(`/proc/${pid}/task`)) {
      const status = await readFile(`/proc/${pid}/task/${thread}/status`, 'utf8')
      expect(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1]).toBe('0')
    }
  }
  expect(workers.length).toBeGreaterThan(0)
})
